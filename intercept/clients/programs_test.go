package clients

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// script is a program of testdata; without it the test says what to install.
func script(packages string, check []string, argv ...string) func(*testing.T, *task) (string, error) {
	return func(t *testing.T, k *task) (string, error) {
		env := append(os.Environ(), "NODE_PATH=/usr/share/nodejs")
		probe := exec.CommandContext(t.Context(), argv[0], check...)
		probe.Env = env
		if out, err := probe.CombinedOutput(); err != nil {
			t.Skipf("%s cannot run (%v %s): apt-get install %s", argv[0], err, out, packages)
		}
		return start(t, append(env, k.env()...), "", argv...)
	}
}

// start runs a command to its end.
func start(t *testing.T, env []string, input string, argv ...string) (string, error) {
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = env
	cmd.Stdin = strings.NewReader(input)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if ctx.Err() != nil {
		t.Fatalf("%s took longer than %v:\n%s", argv[0], limit, out.Bytes())
	}
	return out.String(), err
}

const jdbc = "/usr/share/java/mariadb-java-client.jar"

// classes is where the Java program is compiled to, once.
var classes = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "mydbg-classes-")
	if err != nil {
		return "", err
	}
	out, err := exec.Command("javac", "-d", dir, filepath.Join("testdata", "WithConnectorJ.java")).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("javac: %w: %s", err, out)
	}
	return dir, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, err := classes(); err == nil {
		_ = os.RemoveAll(dir) // the system's temporary folder
	}
	os.Exit(code)
}

func connectorJ(t *testing.T, k *task) (string, error) {
	if _, err := os.Stat(jdbc); err != nil {
		t.Skipf("%v: apt-get install libmariadb-java default-jdk-headless", err)
	}
	dir, err := classes()
	if errors.Is(err, exec.ErrNotFound) {
		t.Skipf("%v: apt-get install libmariadb-java default-jdk-headless", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	// A small machine runs several of them at the same time.
	return start(t, append(os.Environ(), k.env()...), "", "java", "-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", jdbc+":"+dir, "WithConnectorJ")
}
