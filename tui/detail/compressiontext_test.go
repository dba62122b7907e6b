package detail

import (
	"testing"

	"mydbg/intercept"
	"mydbg/intercept/compress"
)

func TestCompressionText(t *testing.T) {
	zlib := compress.Stats{Algorithm: compress.Zlib, WireIn: 100, WireOut: 400, In: 200, Out: 1800}
	zstd := compress.Stats{Algorithm: compress.Zstd}
	for _, tt := range []struct {
		client, server compress.Stats
		plain, want    string
	}{
		{compress.Stats{}, compress.Stats{}, "", ""},
		{compress.Stats{}, compress.Stats{}, "the server cannot", "the server cannot"},
		{zstd, compress.Stats{}, "the server cannot", "client zstd, 0 B as 0 B (100%); server none. But the server cannot"},
		{zlib, compress.Stats{}, "", "client zlib, 2,000 B as 500 B (25%); server none"},
		{compress.Stats{}, zstd, "", "client none; server zstd, 0 B as 0 B (100%)"},
	} {
		if got := compressionText(&intercept.ConnInfo{ClientCompress: tt.client, ServerCompress: tt.server, Uncompressed: tt.plain}); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}
