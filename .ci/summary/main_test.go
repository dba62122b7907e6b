package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestSummary(t *testing.T) {
	t.Setenv("LAB_SERVERS", "mariadb mysql")
	const pass = `{"Action":"pass","Package":"p","Test":"A"}` + "\n"
	skip := func(reason string) string {
		return pass + `{"Action":"output","Package":"p","Test":"B","Output":"    x_test.go:1: ` + reason + `\n"}` + "\n" +
			`{"Action":"skip","Package":"p","Test":"B"}` + "\n"
	}
	for _, tt := range []struct {
		name, lines string
		ok          bool
	}{
		{"all passed", pass, true},
		{"one failed", pass + `{"Action":"fail","Package":"p","Test":"B"}` + "\n", false},
		{"a package did not build", pass + `{"Action":"build-fail","ImportPath":"p"}` + "\n", false},
		{"a package failed without a test", pass + `{"Action":"fail","Package":"p"}` + "\n", false},
		{"skipped for another reason", skip("takes some seconds"), true},
		{"skipped without any server", skip("no server: set the LAB_ variables or install mariadbd"), false},
		{"skipped without a server that is there", skip("needs LAB_MYSQL_DSN"), false},
		{"skipped without a server that nobody started", skip("needs LAB_MARIADB11_DSN"), true},
		{"skipped without a package", skip("php cannot run: apt-get install php-cli"), false},
		{"nothing has run", "", false},
		{"not JSON", pass + "go: something else\n", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "results")
			if err := os.WriteFile(path, []byte(tt.lines), 0o600); err != nil {
				t.Fatal(err)
			}
			if ok, err := summarise(path); (ok && err == nil) != tt.ok {
				t.Errorf("got %v, %v", ok, err)
			}
		})
	}
}
