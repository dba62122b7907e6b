//go:build race

package compress

// raced: sync.Pool, which the zstd decoder uses, then drops on purpose what it should keep.
const raced = true
