//go:build race

package intercept

// raced: sync.Pool, which the zstd decoder uses, then drops on purpose what it should keep.
const raced = true
