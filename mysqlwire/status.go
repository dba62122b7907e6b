package mysqlwire

import "strings"

// Status is the server's status word at the end of every answer.
type Status uint16

const (
	StatusInTrans             Status = 0x0001
	StatusAutocommit          Status = 0x0002
	StatusMoreResultsExists   Status = 0x0008
	StatusNoGoodIndexUsed     Status = 0x0010
	StatusNoIndexUsed         Status = 0x0020
	StatusCursorExists        Status = 0x0040
	StatusLastRowSent         Status = 0x0080
	StatusDBDropped           Status = 0x0100
	StatusNoBackslashEscapes  Status = 0x0200
	StatusMetadataChanged     Status = 0x0400
	StatusQueryWasSlow        Status = 0x0800
	StatusPSOutParams         Status = 0x1000
	StatusInTransReadonly     Status = 0x2000
	StatusSessionStateChanged Status = 0x4000
	StatusANSIQuotes          Status = 0x8000 // MariaDB
)

var statusNames = [16]string{
	"IN_TRANS", "AUTOCOMMIT", "", "MORE_RESULTS_EXISTS", "NO_GOOD_INDEX_USED", "NO_INDEX_USED", "CURSOR_EXISTS",
	"LAST_ROW_SENT", "DB_DROPPED", "NO_BACKSLASH_ESCAPES", "METADATA_CHANGED", "QUERY_WAS_SLOW", "PS_OUT_PARAMS",
	"IN_TRANS_READONLY", "SESSION_STATE_CHANGED", "ANSI_QUOTES",
}

func (s Status) Has(want Status) bool { return s&want == want }

func (s Status) String() string {
	var names []string
	for i, n := range statusNames {
		if s>>i&1 != 0 {
			if n == "" {
				n = "bit " + itoa(i)
			}
			names = append(names, n)
		}
	}
	return strings.Join(names, " ")
}
