// Command screenshots takes the pictures of the README from the real program: it runs `mydbg demo`
// in a terminal, works with it as a person would, and renders the screen.
//
//	go run ./screenshots
//
// It needs tmux, aha and chromium (Debian's packages of these names).
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"mydbg/tui/tuitest/tmux"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "screenshots:", err)
		os.Exit(1)
	}
}

// A scene is what a person does in a terminal of so many cells, and the pictures of it.
type scene struct {
	cols, rows int
	scripts    []string // Lua, run by the proxy
	play       func(p *player) error
}

func run(ctx context.Context) (err error) {
	dir, err := os.MkdirTemp("", "mydbg-screenshots-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "program") // the state directory is dir/mydbg
	build := exec.CommandContext(ctx, "go", "build", "-o", program, ".")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("build: %w", err)
	}
	for _, s := range []scene{{120, 36, nil, wide}, {80, 24, nil, narrow}, {120, 36, []string{limitScript, guardScript}, scripted}} {
		args := []string{"demo", "--theme", "dark"}
		for i, text := range s.scripts {
			file := filepath.Join(dir, scriptNames[i])
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				return err
			}
			args = append(args, "--script", file)
		}
		term, err := tmux.Start(s.cols, s.rows, []string{"HOME=" + dir, "XDG_CONFIG_HOME=" + dir, "LANG=C.UTF-8"}, program, args...)
		if err != nil {
			return err
		}
		p := &player{ctx: ctx, term: term, dir: dir, cols: s.cols, rows: s.rows}
		err = errors.Join(s.play(p), p.err, term.Close())
		if err != nil {
			return err
		}
	}
	return nil
}

// player plays a scene; after a failure it does nothing more.
type player struct {
	ctx        context.Context
	term       *tmux.Terminal
	dir        string
	cols, rows int
	err        error
}

func (p *player) keys(keys ...string) {
	if p.err == nil {
		p.err = p.term.Keys(keys...)
	}
}

func (p *player) text(text string) {
	if p.err == nil {
		p.err = p.term.Type(text)
	}
}

func (p *player) wait(texts ...string) {
	if p.err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(p.ctx, time.Minute)
	defer cancel()
	_, p.err = p.term.WaitText(ctx, texts...)
}

// wide shows the main job: the live list, a held statement, an answer made up, a result held.
func wide(p *player) error {
	p.wait("SLOW", "order_items")
	p.shot("live")

	p.keys("4")
	p.wait("N+1", "COMMIT")
	p.shot("digests")
	p.keys("1")

	p.keys("i")
	p.text(`cmd == "execute" and verb == "UPDATE"`)
	p.keys("Enter")
	p.wait("PAUSED", "UPDATE stock")
	p.keys("]", "Enter")
	p.wait("parameter_values")
	p.shot("held")

	p.keys("e")
	p.wait("EDITING")
	p.shot("edit")
	p.keys("Escape")

	p.keys("r")
	p.wait("Respond")
	p.keys("Tab", "C-u")
	p.text("deadlock")
	p.wait("40001")
	p.shot("respond")
	p.keys("Escape")
	return p.err
}

// narrow shows a held result in a small terminal.
func narrow(p *player) error {
	p.wait("order_items")
	p.keys("i")
	p.text(`cmd == "query" and rows > 5`)
	p.keys("Enter")
	p.wait("PAUSED")
	p.shot("narrow")
	p.keys("]", "e")
	p.wait("EDITING")
	p.shot("result")
	return p.err
}

// The scripts of the pictures: one limits what pages list, one has a mistake.
const (
	limitScript = `-- pages list three orders at a time
local pages = 0

function read_query(packet)
  if packet:byte() ~= proxy.COM_QUERY then return end
  local sql, changed = packet:gsub("LIMIT 12", "LIMIT 3")
  if changed > 0 then
    pages = pages + 1
    print("page " .. pages .. " is limited")
    proxy.queries:append(1, sql, { resultset_is_needed = true })
    return proxy.PROXY_SEND_QUERY
  end
end

function read_query_result(inj)
  local rows = 0
  for _ in inj.resultset.rows do rows = rows + 1 end
  print(rows .. " rows after " .. inj.query_time .. " us")
end
`
	guardScript = `-- keeps everybody but the shop out
local function may(user)
  return proxy.global.users[user]
end

function read_query(packet)
  if packet:find("DELETE") or packet:find("audit") then
    if not may(proxy.connection.client.username) then print("refused") end
  end
end
`
)

var scriptNames = []string{"limit.lua", "guard.lua"}

// scripted shows what two scripts do.
func scripted(p *player) error {
	p.wait("LUA", "DELETE FROM audit")
	p.keys("6")
	p.wait("is limited", "3 rows", "guard.lua:3")
	p.keys("G", "Enter")
	p.wait("guard.lua line 3")
	p.shot("lua")
	return p.err
}

// shot renders the screen to NAME.png beside this program.
func (p *player) shot(name string) {
	if p.err == nil {
		p.err = p.render(name)
	}
}

func (p *player) render(name string) error {
	select {
	case <-time.After(300 * time.Millisecond): // let the screen settle after the last key
	case <-p.ctx.Done():
		return p.ctx.Err()
	}
	styled, err := p.term.Styled()
	if err != nil {
		return err
	}
	page, err := p.html(styled)
	if err != nil {
		return err
	}
	file := filepath.Join(p.dir, name+".html")
	if err := os.WriteFile(file, []byte(page), 0o600); err != nil {
		return err
	}
	picture := filepath.Join("screenshots", name+".png")
	const cellWidth, cellHeight, border = 9, 18, 24
	size := fmt.Sprintf("--window-size=%d,%d", p.cols*cellWidth+border, p.rows*cellHeight+border)
	out, err := exec.CommandContext(p.ctx, "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
		"--user-data-dir="+filepath.Join(p.dir, "chromium"), "--screenshot="+picture, size, "file://"+file).CombinedOutput()
	if err != nil {
		return fmt.Errorf("chromium: %w\n%s", err, out)
	}
	fmt.Println(picture)
	return nil
}

// html is a styled screen as a page in the colours of a common dark terminal.
func (p *player) html(styled string) (string, error) {
	aha := exec.CommandContext(p.ctx, "aha", "--black", "--no-header")
	aha.Stdin = strings.NewReader(styled)
	body, err := aha.Output()
	if err != nil {
		return "", fmt.Errorf("aha: %w", err)
	}
	// aha paints bold black grey and bright colours by a filter; terminals have colours for them.
	colours := strings.NewReplacer(
		"filter: contrast(70%) brightness(190%);color:dimgray", "color:#16181d",
		"filter: contrast(70%) brightness(190%);", "",
		"color:black;background-color:white", "color:#16181d;background-color:#c8ccd4",
		"background-color:yellow", "background-color:#e5c07b", "color:yellow", "color:#e5c07b",
		"color:olive", "color:#d7ae5f", "color:aqua", "color:#56b6c2", "color:teal", "color:#3f97a3", "color:lime", "color:#98c379",
		"color:green", "color:#7cb35b", "color:red", "color:#e06c75", "color:fuchsia", "color:#d291e4", "color:purple", "color:#c678dd",
		"color:blue", "color:#61afef", "color:#3333FF", "color:#61afef", "color:dimgray", "color:#7d8490",
	)
	return `<!doctype html><meta charset="utf-8"><style>
body { margin: 12px; background: #16181d; }
pre { margin: 0; color: #c8ccd4; font: 15px/18px "DejaVu Sans Mono", monospace; }
</style><pre>` + colours.Replace(string(body)) + "</pre>\n", nil
}
