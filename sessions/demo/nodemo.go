//go:build nodemo

package demo

func startEngine(Options) (addr string, stop func() error, err error) {
	return "", nil, ErrLeftOut
}
