package mysqlwire

// State is what a Tracker expects next.
type State uint8

const (
	StateGreeting State = iota // server: greeting
	StateLogin                 // client: TLS request or login
	StateAuth                  // both: packets of an authentication plugin
	StateIdle                  // client: a command
	StateHead                  // server: first packet of an answer, or of its next result
	StateParams                // server: parameter definitions
	StateColumns               // server: column definitions
	StateRows                  // server: rows
	StateUpload                // client: the file of LOCAL INFILE
	StateStream                // server: binary log
	StateOpaque                // anything: the connection is not followed any more
	StateClosed                // nothing: one side said goodbye
)

var stateNames = [...]string{
	"greeting", "login", "authentication", "idle", "answer", "parameter definitions", "column definitions", "rows",
	"file upload", "binary log stream", "opaque", "closed",
}

func (s State) String() string { return stateNames[s] }
