package export

import (
	"bufio"
	"io"

	"mydbg/intercept"
	"mydbg/mysqlwire"
	"mydbg/sessions"
)

// capture is another recording.
type capture struct {
	r        *sessions.Reader
	w        *bufio.Writer
	copier   *sessions.Copier
	redacted bool
}

func newPcapng(w io.Writer, r *sessions.Reader, o Options) (emitter, error) {
	b := bufio.NewWriter(w)
	return &capture{r, b, sessions.NewCopier(b, r), o.Redact != nil}, nil
}

func (c *capture) exchange(rec *sessions.Record, conn *sessions.Conn) error {
	var decisions []sessions.Decision
	if !c.redacted { // they quote statements
		decisions = c.r.Decisions(rec.Seq)
	}
	return c.copier.Write(rec, conn, decisions)
}

// needed are the exchanges without which others cannot be understood: the filter does not leave them out.
func needed(rec *sessions.Record) bool {
	switch rec.Command {
	case mysqlwire.ComStmtPrepare, mysqlwire.ComStmtClose, mysqlwire.ComStmtSendLongData, mysqlwire.ComResetConnection, mysqlwire.ComChangeUser:
		return rec.Marks&intercept.MarkPartial == 0
	}
	return false
}

func (c *capture) end() error {
	if err := c.copier.Close(); err != nil {
		return err
	}
	return c.w.Flush()
}
