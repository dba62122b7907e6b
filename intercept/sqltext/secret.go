package sqltext

import (
	"regexp"
	"strings"
)

var (
	accounts  = regexp.MustCompile(`(?is)^(?:\s|/\*.*?\*/)*(?:CREATE|ALTER|GRANT|CHANGE|START|SET\s+PASSWORD)\b`)
	announces = regexp.MustCompile(`(?i)\b(?:IDENTIFIED|PASSWORD|(?:MASTER|SOURCE)_PASSWORD)\b`)
	// literal is a quoted text, also one that a cut left open, or hexadecimal digits.
	literal = regexp.MustCompile(`(?s)'(?:[^'\\]|\\.|'')*(?:'|\\?$)|"(?:[^"\\]|\\.|"")*(?:"|\\?$)|\b0[xX][0-9A-Fa-f]+`)
)

// Mask takes the passwords out of statements about accounts and replication: every literal after the
// word that announces one, except the parts of an account's name, 'app'@'%'.
func Mask(sql string) string {
	masked, _ := MaskSecrets(sql)
	return masked
}

// MaskSecrets is Mask that also returns what it took out, without quotes.
func MaskSecrets(sql string) (masked string, secrets []string) {
	if !accounts.MatchString(sql) {
		return sql, nil
	}
	word := announces.FindStringIndex(sql)
	if word == nil {
		return sql, nil
	}
	var b strings.Builder
	done := word[1]
	b.WriteString(sql[:done])
	for _, at := range literal.FindAllStringIndex(sql[done:], -1) {
		from, to := at[0]+word[1], at[1]+word[1]
		named := strings.HasSuffix(sql[:from], "@") || strings.HasPrefix(sql[to:], "@")
		b.WriteString(sql[done:from])
		if named {
			b.WriteString(sql[from:to])
		} else {
			b.WriteString("'***'")
			secrets = append(secrets, strings.Trim(sql[from:to], `'"`))
		}
		done = to
	}
	b.WriteString(sql[done:])
	return b.String(), secrets
}
