package intercept

import (
	"fmt"
	"sync"
	"time"

	"mydbg/mysqlwire"
)

// Journal remembers the newest exchanges and notices of all connections in bounded memory, for
// whoever shows them. Nothing is pushed: a bell rings, and readers pull what changed.
type Journal struct {
	bells

	mu      sync.Mutex
	slots   []slot // exchange s is in slot s % len
	last    Seq
	version uint64
	newest  Seq // most recently changed, head of a list through slot.older
	oldest  Seq
	gone    uint64 // exchanges that fell out

	acted actedLog

	arena   []byte // captured bytes, written round and round
	written uint64 // bytes ever written to it

	notices []Notice // ring
	noticed uint64   // notices ever made
	noted   func(*Notice)
}

// slot holds an exchange and links it into the order of change.
type slot struct {
	x            Exchange // without SQL
	sql          []byte   // its text, storage reused
	older, newer Seq
	at           uint64 // position of its bytes in the arena
	n            int
	cut          bool
	cx           mysqlwire.Context
	stmt         *mysqlwire.Stmt
}

// Level of a notice.
type Level uint8

const (
	Info Level = iota
	Warning
	Error
)

func (l Level) String() string { return [...]string{"info", "warning", "error"}[l] }

// Notice is a line for the log pane.
type Notice struct {
	N        uint64 // 1 for the first
	At       time.Time
	Level    Level
	Conn     ConnID // 0 when it is about none
	Exchange Seq
	Text     string
	Login    *LoginReport // of a login that failed; nil on other notices
}

const (
	defaultJournal = 20_000
	defaultArena   = 32 << 20
	keptNotices    = 2_000
)

// NewJournal makes a journal of so many exchanges and so many bytes of their packets; 0 is the default.
func NewJournal(exchanges, bytes int) *Journal {
	if exchanges <= 0 {
		exchanges = defaultJournal
	}
	if bytes <= 0 {
		bytes = defaultArena
	}
	return &Journal{slots: make([]slot, exchanges), arena: make([]byte, max(bytes, captureLimit))}
}

// Listen returns a bell of its own that rings when something changed.
func (j *Journal) Listen() <-chan struct{} { return j.listen() }

// Since appends to dst every exchange changed after version, least recently changed first, and returns
// the version to ask with next time. What fell out of the ring before it was seen is not in it: compare Gone.
func (j *Journal) Since(version uint64, dst []Exchange) ([]Exchange, uint64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	first := Seq(0)
	for s := j.newest; s != 0; {
		at := j.slot(s)
		if at.x.Version <= version {
			break
		}
		first, s = s, at.older
	}
	for s := first; s != 0; s = j.slot(s).newer {
		dst = append(dst, j.slot(s).exchange())
	}
	return dst, j.version
}

// Gone is how many exchanges have fallen out of the ring.
func (j *Journal) Gone() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.gone
}

// Exchange looks one up; false when it has fallen out.
func (j *Journal) Exchange(s Seq) (Exchange, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if at := j.find(s); at != nil {
		return at.exchange(), true
	}
	return Exchange{}, false
}

// Detail is an exchange with what is left of its bytes.
func (j *Journal) Detail(s Seq) (Detail, bool) {
	j.mu.Lock()
	at := j.find(s)
	if at == nil {
		j.mu.Unlock()
		return Detail{}, false
	}
	d := Detail{Exchange: at.exchange(), Stmt: at.stmt, Cut: at.cut}
	cx := at.cx
	d.Context = &cx
	var buf []byte
	if j.written-at.at <= uint64(len(j.arena)) {
		buf = j.read(at.at, at.n)
	} else {
		d.Missing = at.n > 0
	}
	j.mu.Unlock()
	d.Answer.Command = d.Command
	d.replay(buf)
	d.Answer.Partial = d.Answer.Partial || d.Cut
	return d, true
}

// Mark sets or clears a mark of a person.
func (j *Journal) Mark(s Seq, m Mark, on bool) {
	j.update(s, func(x *Exchange) {
		x.Marks &^= m
		if on {
			x.Marks |= m
		}
	})
}

// Clear forgets every finished exchange.
func (j *Journal) Clear() {
	j.mu.Lock()
	for s := j.oldest; s != 0; {
		at := j.slot(s)
		next := at.newer
		if st := at.x.State; st == Done || st == Gone {
			j.unlink(at)
			at.x = Exchange{}
		}
		s = next
	}
	j.version++
	j.mu.Unlock()
	j.ring()
}

// Notices appends those after number n to dst, oldest first.
func (j *Journal) Notices(n uint64, dst []Notice) []Notice {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.noticed > keptNotices {
		n = max(n, j.noticed-keptNotices)
	}
	for ; n < j.noticed; n++ {
		dst = append(dst, j.notices[n%keptNotices])
	}
	return dst
}

// Note adds a line to the log.
func (j *Journal) Note(l Level, c ConnID, s Seq, format string, args ...any) {
	j.add(Notice{At: time.Now(), Level: l, Conn: c, Exchange: s, Text: fmt.Sprintf(format, args...)})
}

// noteLogin adds a line about a login that failed.
func (j *Journal) noteLogin(l Level, c ConnID, s Seq, r *LoginReport) {
	text := fmt.Sprintf("connection %d: %s", c, r.Title())
	if hint := r.Hint(); hint != "" {
		text += ". What to change: " + hint
	}
	j.add(Notice{At: r.At, Level: l, Conn: c, Exchange: s, Text: text, Login: r})
}

func (j *Journal) add(n Notice) {
	j.mu.Lock()
	n.N = j.noticed + 1
	if len(j.notices) < keptNotices {
		j.notices = append(j.notices, n)
	} else {
		j.notices[j.noticed%keptNotices] = n
	}
	j.noticed++
	j.mu.Unlock()
	if j.noted != nil {
		j.noted(&n)
	}
	j.ring()
}

// begin gives x its number and lists it.
func (j *Journal) begin(x *Exchange, sql string) Seq {
	j.mu.Lock()
	j.last++
	at := j.slot(j.last)
	if at.x.Seq != 0 {
		j.unlink(at)
		j.gone++
	}
	x.Seq, x.SQLLen = j.last, len(sql)
	at.sql = append(at.sql[:0], sql[:min(len(sql), SQLPrefix)]...)
	at.x = *x
	at.x.SQL = ""
	at.n, at.at, at.cut, at.stmt = 0, j.written, false, nil
	j.touch(at)
	j.mu.Unlock()
	j.ring()
	return x.Seq
}

// update changes an exchange that is still listed.
func (j *Journal) update(s Seq, edit func(*Exchange)) {
	j.mu.Lock()
	if at := j.find(s); at != nil {
		edit(&at.x)
		j.unlink(at)
		j.touch(at)
	}
	j.mu.Unlock()
	j.ring()
}

// finish stores the end of x and its bytes.
func (j *Journal) finish(x *Exchange, c *capture, cx *mysqlwire.Context, stmt *mysqlwire.Stmt) {
	j.mu.Lock()
	if at := j.find(x.Seq); at != nil {
		marks := at.x.Marks // set from outside meanwhile
		at.x = *x
		at.x.Marks |= marks & MarkMarked
		at.x.SQL = ""
		at.at, at.n, at.cut = j.written, len(c.buf), c.cut
		at.cx, at.stmt = *cx, stmt
		j.write(c.buf)
		j.unlink(at)
		j.touch(at)
	}
	j.mu.Unlock()
	j.ring()
}

func (j *Journal) slot(s Seq) *slot { return &j.slots[uint64(s)%uint64(len(j.slots))] }

func (j *Journal) find(s Seq) *slot {
	if at := j.slot(s); s != 0 && at.x.Seq == s {
		return at
	}
	return nil
}

func (at *slot) exchange() Exchange {
	x := at.x
	x.SQL = string(at.sql)
	return x
}

// touch makes at the most recently changed.
func (j *Journal) touch(at *slot) {
	j.version++
	at.x.Version = j.version
	at.older, at.newer = j.newest, 0
	if j.newest != 0 {
		j.slot(j.newest).newer = at.x.Seq
	} else {
		j.oldest = at.x.Seq
	}
	j.newest = at.x.Seq
}

func (j *Journal) unlink(at *slot) {
	if at.older != 0 {
		j.slot(at.older).newer = at.newer
	} else {
		j.oldest = at.newer
	}
	if at.newer != 0 {
		j.slot(at.newer).older = at.older
	} else {
		j.newest = at.older
	}
}

func (j *Journal) write(b []byte) {
	for len(b) > 0 {
		n := copy(j.arena[j.written%uint64(len(j.arena)):], b)
		b = b[n:]
		j.written += uint64(n)
	}
}

func (j *Journal) read(at uint64, n int) []byte {
	b := make([]byte, 0, n)
	for len(b) < n {
		from := (at + uint64(len(b))) % uint64(len(j.arena))
		part := j.arena[from:]
		b = append(b, part[:min(len(part), n-len(b))]...)
	}
	return b
}
