package mysqlwire

import (
	"encoding/hex"
	"testing"
)

func TestCompressedHeader(t *testing.T) {
	for _, tt := range []struct {
		name, hex string
		want      CompressedHeader
		expands   int
	}{
		{"not compressed", "2e000001000000", CompressedHeader{Len: 46, Seq: 1}, 46},
		{"compressed", "4b0000026c0100", CompressedHeader{Len: 75, Seq: 2, Plain: 364}, 364},
		{"largest", "ffffffffffffff", CompressedHeader{Len: MaxFrame, Seq: 255, Plain: MaxFrame}, MaxFrame},
		{"empty", "00000000000000", CompressedHeader{}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, err := hex.DecodeString(tt.hex)
			if err != nil {
				t.Fatal(err)
			}
			got := ParseCompressedHeader(b)
			if got != tt.want || got.Expands() != tt.expands {
				t.Errorf("got %+v, expanding to %d, want %+v, %d", got, got.Expands(), tt.want, tt.expands)
			}
			if out := hex.EncodeToString(got.Append(nil)); out != tt.hex {
				t.Errorf("encodes to %s, want %s", out, tt.hex)
			}
		})
	}
}
