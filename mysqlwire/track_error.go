package mysqlwire

import "fmt"

// TrackError is a frame that a Tracker cannot explain.
type TrackError struct {
	State  State
	Dir    Direction
	Header Header
	Msg    string
}

func (e *TrackError) Error() string {
	return fmt.Sprintf("frame %s (%d bytes, sequence number %d) while %s expected: %s", e.Dir, e.Header.Len, e.Header.Seq, e.State, e.Msg)
}
