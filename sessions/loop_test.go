package sessions

import (
	"fmt"
	"strings"
	"testing"

	"mydbg/intercept"
	"mydbg/sessions/pcapng"
)

// TestLoopsAreFoundInCaptures: as in live traffic, on each connection by itself.
func TestLoopsAreFoundInCaptures(t *testing.T) {
	var frames []frame
	talks := []*talk{newTalk(&frames, 40000, pcapng.LinkEthernet), newTalk(&frames, 40001, pcapng.LinkEthernet)}
	for _, c := range talks {
		c.open()
		c.login()
	}
	for i := range 7 {
		talks[0].query(fmt.Sprintf("SELECT name FROM t WHERE id = %d", i))
		talks[0].rows(1, "x")
		talks[1].query(fmt.Sprintf("SELECT c%d FROM t", i))
		talks[1].rows(1, "x")
	}
	r := openBytes(t, pcap(pcapng.LinkEthernet, frames), Options{})
	var got []string
	for x, err := range r.Exchanges(0) {
		if err != nil {
			t.Fatal(err)
		}
		if x.Marks&intercept.MarkLoop != 0 {
			got = append(got, x.SQL[len(x.SQL)-1:])
		}
	}
	if s := strings.Join(got, " "); s != "4 5 6" {
		t.Errorf("got %q, want the fifth and those behind it", s)
	}
}
