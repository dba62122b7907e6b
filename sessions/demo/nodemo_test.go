//go:build nodemo

package demo

import (
	"context"
	"errors"
	"testing"
)

func TestStartSaysItWasLeftOut(t *testing.T) {
	if _, err := Start(context.Background(), Options{}); !errors.Is(err, ErrLeftOut) {
		t.Errorf("got %v, want %v", err, ErrLeftOut)
	}
}
