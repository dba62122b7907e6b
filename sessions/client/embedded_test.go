package client_test

import (
	"context"
	"testing"

	"mydbg/intercept/intercepttest"
	"mydbg/sessions/demo"
)

// embedded starts the demo server, for machines without any other.
func embedded(t testing.TB) intercepttest.Server {
	t.Helper()
	s, err := demo.Start(context.Background(), demo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return intercepttest.Server{Name: "embedded", Addr: s.Addr(), User: "app", Password: "app-pw", Database: "shop"}
}
