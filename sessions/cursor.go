package sessions

import "mydbg/intercept"

// Cursor reads exchanges that are close to each other with fewer looks into the file. It is for one goroutine.
type Cursor struct {
	r    *Reader
	file windows
}

// Cursor makes one.
func (r *Reader) Cursor() *Cursor { return &Cursor{r: r, file: windows{file: r.file}} }

// Exchange is Reader.Exchange.
func (c *Cursor) Exchange(s intercept.Seq) (Exchange, error) { return c.r.exchange(&c.file, s) }

// Counts is Exchange without any text: of a statement there is neither text nor length, of an error no message. It
// reads nothing from the file.
func (c *Cursor) Counts(s intercept.Seq) (Exchange, error) { return c.r.counts(s) }

// Look is Reader.Look.
func (c *Cursor) Look(s intercept.Seq, limit int) (*Record, error) {
	return c.r.load(&c.file, s, limit)
}

func (r *Reader) counts(s intercept.Seq) (Exchange, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if s == 0 || uint64(s) > uint64(len(r.ix.entries)) {
		return Exchange{}, noExchange(s, len(r.ix.entries))
	}
	return r.ix.summary(int(s - 1)), nil
}
