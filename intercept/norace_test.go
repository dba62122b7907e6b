//go:build !race

package intercept

const raced = false
