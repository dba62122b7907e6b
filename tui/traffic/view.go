package traffic

import (
	"fmt"

	"mydbg/tui/safe"
)

// View draws the pane's box in the size last set. Without any connection it shows intro, clean
// lines in style.
func (p *Pane) View(focused bool, intro []string) string {
	if p.w == 0 || p.h == 0 {
		return ""
	}
	if p.Len() == 0 && len(p.sections) == 0 && len(intro) > 0 {
		return p.th.BoxLines("1 Events", "", intro, p.w, p.h, focused)
	}
	return p.th.Box(p.title(), p.right(), p.list.View(), p.w, p.h, focused)
}

func (p *Pane) title() string {
	kind := "tree"
	if p.flat {
		kind = "flat"
	}
	matched, kept := p.matched, p.kept
	if p.whole != nil {
		matched, kept = p.whole.Matched, p.whole.Total
	}
	count := Count(kept)
	if p.Filter() != nil {
		count = Count(matched) + "/" + count
	}
	return "1 Events  " + kind + "  " + count
}

func (p *Pane) right() string {
	out, gone, follow := "filter: off", "", ""
	if p.gone > 0 {
		gone = Count(p.gone) + " gone  "
	}
	if p.list.Following() {
		follow = "   follow"
	}
	switch {
	case p.probe != nil && p.probe.become:
		out = fmt.Sprintf("filtering, %s so far", Count(p.probe.matched))
	case p.whole != nil && p.whole.Busy:
		out = fmt.Sprintf("filtering, %s so far", Count(p.whole.Matched))
	case p.Filter() != nil:
		room := p.w - len(p.title()) - len(gone) - len(follow) - len("f: ") - 8
		out = "f: " + safe.Elide(p.Filter().String(), min(max(room, 12), max(p.w/2, 12)))
	}
	return gone + out + follow
}
