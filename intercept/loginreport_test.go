package intercept_test

import (
	"strings"
	"testing"

	"mydbg/intercept"
	"mydbg/intercept/intercepttest"
)

// failedLogin waits for the newest report of a failed login and checks its cause, and what its hints say.
func failedLogin(t *testing.T, p *intercepttest.Proxy, cause intercept.LoginCause, hint string) *intercept.LoginReport {
	t.Helper()
	r := newestFailure(p)
	if r.Cause != cause || !strings.Contains(r.Hint(), hint) {
		t.Errorf("the cause is %s, want %s with a hint of %q:\n%s", r.Cause, cause, hint, r.Text())
	}
	return r
}

// newestFailure waits for a report of a failed login.
func newestFailure(p *intercepttest.Proxy) *intercept.LoginReport {
	var r *intercept.LoginReport
	p.Until("a login has failed", func() bool {
		for _, n := range p.Journal.Notices(0, nil) {
			if n.Login != nil {
				r = n.Login
			}
		}
		return r != nil
	})
	return r
}
