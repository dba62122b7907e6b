package keymap

import (
	"slices"
	"strings"
)

// The actions. A name means the same in every context where it is bound.
const (
	Continue       ID = "continue"
	Step           ID = "step"
	Next           ID = "next"
	FinishTx       ID = "finish-tx"
	ContinueAll    ID = "continue-all"
	Pause          ID = "pause"
	PauseAll       ID = "pause-all"
	BreakThis      ID = "break-this"
	Break          ID = "break"
	BreakBefore    ID = "break-before"
	Breaks         ID = "breaks"
	NextPaused     ID = "next-paused"
	PrevPaused     ID = "prev-paused"
	Edit           ID = "edit"
	EditExternal   ID = "edit-external"
	Respond        ID = "respond"
	InjectBefore   ID = "inject-before"
	InjectAfter    ID = "inject-after"
	Undo           ID = "undo"
	Snippet        ID = "snippet"
	TryHooks       ID = "try-hooks"
	Kill           ID = "kill"
	Open           ID = "open"
	Back           ID = "back"
	Toggle         ID = "toggle"
	Down           ID = "down"
	Up             ID = "up"
	Left           ID = "left"
	Right          ID = "right"
	Top            ID = "top"
	Bottom         ID = "bottom"
	HalfDown       ID = "half-down"
	HalfUp         ID = "half-up"
	PageDown       ID = "page-down"
	PageUp         ID = "page-up"
	PreviewDown    ID = "preview-down"
	PreviewUp      ID = "preview-up"
	View           ID = "view"
	NextChange     ID = "next-change"
	PrevChange     ID = "prev-change"
	Diff           ID = "diff"
	Explain        ID = "explain"
	ExplainAnalyze ID = "explain-analyze"
	Filter         ID = "filter"
	Follow         ID = "follow"
	Search         ID = "search"
	SearchNext     ID = "search-next"
	SearchPrev     ID = "search-prev"
	Mark           ID = "mark"
	OnlyMarked     ID = "only-marked"
	Note           ID = "note"
	Sort           ID = "sort"
	Tree           ID = "tree"
	Clear          ID = "clear"
	Remove         ID = "remove"
	Copy           ID = "copy"
	CopyAs         ID = "copy-as"
	Export         ID = "export"
	Record         ID = "record"
	Load           ID = "load"
	Rerun          ID = "rerun"
	Events         ID = "events"
	Connections    ID = "connections"
	Breakpoints    ID = "breakpoints"
	Digests        ID = "digests"
	Timeline       ID = "timeline"
	Lua            ID = "lua"
	Sessions       ID = "sessions"
	Log            ID = "log"
	FocusNext      ID = "focus-next"
	FocusPrev      ID = "focus-prev"
	Layout         ID = "layout"
	Zoom           ID = "zoom"
	HelpLines      ID = "help-lines"
	Drawer         ID = "drawer"
	Command        ID = "command"
	Palette        ID = "palette"
	Help           ID = "help"
	Quit           ID = "quit"
	QuitDialog     ID = "quit-dialog"
	Cancel         ID = "cancel"
	Suspend        ID = "suspend"
	Redraw         ID = "redraw"
	StepBack       ID = "step-back"
	Draft          ID = "draft"
	Apply          ID = "apply"
	External       ID = "external"
	EditUndo       ID = "edit-undo"
	EditRedo       ID = "edit-redo"
	Null           ID = "null"
	Close          ID = "close"
	NextField      ID = "next-field"
	PrevField      ID = "prev-field"
	Cell           ID = "cell"
	AddRow         ID = "add-row"
	AddRowAbove    ID = "add-row-above"
	DupRow         ID = "dup-row"
	DeleteRow      ID = "delete-row"
	Column         ID = "column"
	CellHex        ID = "cell-hex"
	Accept         ID = "accept"
	Reload         ID = "reload"
	NextScript     ID = "next-script"
	HistoryPrev    ID = "history-prev"
	HistoryNext    ID = "history-next"
	Complete       ID = "complete"
	CompletePrev   ID = "complete-prev"
	Yes            ID = "yes"
	No             ID = "no"
	QuitRelease    ID = "quit-release"
	QuitDetach     ID = "quit-detach"
	QuitClose      ID = "quit-close"
)

// declare makes the actions of one context and group.
func declare(c Context, g Group, rows []row) []Action {
	actions := make([]Action, len(rows))
	for i, r := range rows {
		actions[i] = Action{ID: r.id, Context: c, Group: g, Short: r.short, Long: r.long, Keys: strings.Fields(r.keys)}
	}
	return actions
}

// row is an action: name, help for the footer, help for the help screen, keys as shipped.
type row struct {
	id          ID
	short, long string
	keys        string
}

// declared is every action there is. Within a context a name appears once; a name in several contexts is the same
// action where it is applied to something else.
var declared = slices.Concat(
	declare(InMain, GroupRelease, []row{
		{Continue, "continue", "let this event go on", "c a f5"},
		{Step, "step", "stop at this connection's next hook event", "s f11"},
		{Next, "next cmd", "stop at this connection's next command, letting results through", "n f10"},
		{FinishTx, "end of tx", "run to the end of the transaction", "t"},
		{ContinueAll, "continue all", "let all paused events go on", "A"},
	}),
	declare(InMain, GroupStop, []row{
		{Pause, "pause", "pause this connection at its next event", "p"},
		{PauseAll, "pause all", "pause every connection at its next event; again: stop arming", "P"},
		{BreakThis, "break on this", "break on this digest and hook", "b f9"},
		{BreakBefore, "break before", "break on this digest before the scripts; at a breakpoint: before or after them", "B"},
		{Break, "break", "break where a condition holds", "i"},
		{Breaks, "breaks on/off", "turn all breakpoints on or off", "I"},
		{NextPaused, "next paused", "go to the next paused event", "]"},
		{PrevPaused, "previous", "go to the previous paused event", "["},
	}),
	declare(InMain, GroupAlter, []row{
		{Edit, "edit", "edit this event", "e"},
		{EditExternal, "$EDITOR", "edit this event in $EDITOR", "E"},
		{Respond, "respond", "answer without the server", "r"},
		{InjectBefore, "inject before", "inject a query before this one", "O"},
		{InjectAfter, "inject after", "inject a query after this one", "o"},
		{Undo, "undo edits", "undo my edits", "u"},
		{Snippet, "Lua", "run a Lua snippet on this event", "|"},
		{TryHooks, "try hooks", "ask the scripts' hooks about a copy of this event", "\\"},
		{Kill, "kill", "kill this connection (asks first)", "ctrl+k"},
	}),
	declare(InMain, GroupMove, []row{
		{Open, "open", "open", "enter"},
		{Back, "back", "back to where you came from", "esc"},
		{Toggle, "fold", "fold, or turn on or off", "space"},
		{Down, "down", "move down", "j down"},
		{Up, "up", "move up", "k up"},
		{Left, "left", "move left, or to the previous tab", "h left"},
		{Right, "right", "move right, or to the next tab", "l right"},
		{Top, "top", "go to the first", "g home"},
		{Bottom, "bottom", "go to the last", "G end"},
		{HalfDown, "half page down", "half a page down", "ctrl+d"},
		{HalfUp, "half page up", "half a page up", "ctrl+u"},
		{PageDown, "page down", "a page down", "ctrl+f pgdown"},
		{PageUp, "page up", "a page up", "ctrl+b pgup"},
		{PreviewDown, "scroll preview", "scroll the preview down", "J"},
		{PreviewUp, "scroll preview up", "scroll the preview up", "K"},
	}),
	declare(InMain, GroupLook, []row{
		{View, "view", "change the view: tree, SQL, hex, raw, JSON, diff", "v"},
		{NextChange, "next change", "go to the next change", "}"},
		{PrevChange, "previous change", "go to the previous change", "{"},
		{Diff, "diff", "compare what was received with what is sent", "d"},
		{Explain, "explain", "EXPLAIN a paused statement, in its session", "x"},
		{ExplainAnalyze, "analyze", "EXPLAIN ANALYZE a paused statement that only reads", "X"},
	}),
	declare(InMain, GroupLists, []row{
		{Filter, "filter", "show only what matches a condition", "f"},
		{Follow, "follow", "follow what arrives, or stop following", "F"},
		{Search, "search", "search for text", "/"},
		{SearchNext, "next match", "go to the next match", "."},
		{SearchPrev, "previous match", "go to the previous match", ","},
		{Mark, "mark", "mark, or unmark", "m"},
		{OnlyMarked, "only marked", "show only what is marked", "M"},
		{Note, "note", "write a note", ";"},
		{Sort, "sort", "change the order", "S"},
		{Tree, "tree/flat", "tree or flat list", "T"},
		{Clear, "clear", "forget what is shown (asks first)", "z"},
		{Remove, "remove", "remove this item", "ctrl+x"},
	}),
	declare(InMain, GroupData, []row{
		{Copy, "copy", "copy the statement with its parameters", "y"},
		{CopyAs, "copy as", "copy in another form", "Y"},
		{Export, "export", "write what is shown to a file: statements, JSON, CSV, …", "w"},
		{Record, "record", "turn recording on or off", "W"},
		{Load, "history", "look at all that was kept of the traffic; again: back to live", "L"},
		{Rerun, "re-run", "run a finished exchange again", "R"},
	}),
	declare(InMain, GroupApp, []row{
		{Events, "events", "show events", "1"},
		{Connections, "connections", "show connections", "2"},
		{Breakpoints, "breakpoints", "show breakpoints, tracepoints and rules", "3"},
		{Digests, "digests", "show digests", "4"},
		{Timeline, "timeline", "show the timeline", "5"},
		{Lua, "Lua", "show scripts and their output", "6"},
		{Sessions, "sessions", "show recordings and replays", "7"},
		{Log, "log", "show all messages", "8"},
		{FocusNext, "focus", "focus the next pane", "tab"},
		{FocusPrev, "focus back", "focus the previous pane", "shift+tab"},
		{Layout, "layout", "change how the screen is split", "-"},
		{Zoom, "zoom", "let the focused pane fill the screen", "="},
		{HelpLines, "help lines", "hide or show the help lines", "H"},
		{Drawer, "Lua drawer", "open or close the Lua drawer", "`"},
		{Command, "command", "type a command", ":"},
		{Palette, "all", "find any action", "ctrl+p"},
		{Help, "help", "show the help", "?"},
		{Quit, "back", "back; at the top: quit (asks first)", "q"},
		{QuitDialog, "quit", "quit (asks first)", "Q"},
		{Cancel, "cancel", "cancel what runs; again: quit (asks first)", "ctrl+c"},
		{Suspend, "suspend", "suspend the program; traffic waits", "ctrl+z"},
		{Redraw, "redraw", "draw the screen anew", "ctrl+l"},
	}),
	declare(InRecording, GroupMove, []row{
		{StepBack, "step back", "go back one event", "p"},
	}),
	declare(InScripts, GroupAlter, []row{
		{Edit, "edit script", "edit the script in $EDITOR; saved, open connections run it", "e"},
		{EditExternal, "$EDITOR", "edit the script in $EDITOR", "E ctrl+o"},
		{Reload, "reload", "have open connections run the script's file as it is now", "ctrl+l"},
		{Snippet, "snippet", "type a snippet", "|"},
	}),
	declare(InScripts, GroupMove, []row{
		{Open, "open", "go to the event of a line; at a script: show its error whole", "enter"},
	}),
	declare(InEditor, GroupEdit, []row{
		{Draft, "keep draft", "keep the draft; the event stays paused", "ctrl+s"},
		{Apply, "apply and continue", "apply the draft and let the event go on", "ctrl+r"},
		{External, "$EDITOR", "edit in $EDITOR", "ctrl+o"},
		{EditUndo, "undo", "undo", "ctrl+z"},
		{EditRedo, "redo", "redo", "ctrl+y"},
		{Null, "NULL", "make this value NULL", "ctrl+n"},
		{Close, "close", "close; a draft is kept", "esc"},
		{NextField, "next field", "go to the next field", "tab"},
		{PrevField, "previous field", "go to the previous field", "shift+tab"},
		{Cancel, "cancel", "close; again: quit (asks first)", "ctrl+c"},
	}),
	declare(InGrid, GroupEdit, []row{
		{Draft, "keep draft", "keep the draft; the event stays paused", "ctrl+s"},
		{Apply, "send", "apply the draft and let the event go on", "ctrl+r"},
		{External, "$EDITOR", "edit the cell in $EDITOR", "ctrl+o"},
		{EditUndo, "undo", "undo", "u ctrl+z"},
		{EditRedo, "redo", "redo", "ctrl+y"},
		{Close, "close", "close; a draft is kept", "esc"},
		{Cell, "edit", "edit this cell", "e enter"},
		{Null, "NULL", "make this cell NULL", "N"},
		{AddRow, "add row", "add a row below", "o"},
		{AddRowAbove, "add above", "add a row above", "O"},
		{DupRow, "dup", "duplicate this row", "p"},
		{DeleteRow, "del", "delete this row", "d"},
		{Column, "column", "change this column's name or type", "C"},
		{CellHex, "hex", "edit the cell's bytes", "H"},
		{CopyAs, "copy as", "copy in another form", "Y"},
		{NextField, "next cell", "go to the next cell", "tab"},
		{PrevField, "previous cell", "go to the previous cell", "shift+tab"},
		{Down, "down", "move down", "j down"},
		{Up, "up", "move up", "k up"},
		{Left, "left", "move left", "h left"},
		{Right, "right", "move right", "l right"},
		{Top, "top", "go to the first row", "g home"},
		{Bottom, "bottom", "go to the last row", "G end"},
		{PageDown, "page down", "a page down", "ctrl+f pgdown"},
		{PageUp, "page up", "a page up", "ctrl+b pgup"},
		{Help, "help", "show the help", "?"},
		{Cancel, "cancel", "close; again: quit (asks first)", "ctrl+c"},
	}),
	declare(InSnippet, GroupEdit, []row{
		{Accept, "try", "run on a copy", "enter"},
		{Draft, "use it", "keep what the snippet made as the draft", "ctrl+s"},
		{Apply, "use and continue", "use what the snippet made and let the event go on", "ctrl+r"},
		{TryHooks, "try hooks", "ask the scripts' hooks about a copy of the event", "ctrl+t"},
		{NextScript, "next script", "run in the environment of the next script", "ctrl+n"},
		{External, "file", "edit the script in $EDITOR; saved, open connections run it", "ctrl+o"},
		{Reload, "reload", "have open connections run the script's file as it is now", "ctrl+l"},
		{HistoryPrev, "earlier", "the line before in the history", "up"},
		{HistoryNext, "later", "the line after in the history", "down"},
		{Complete, "complete", "complete the word", "tab"},
		{FocusPrev, "output", "go to the output", "shift+tab"},
		{PageDown, "page down", "scroll the output down", "pgdown"},
		{PageUp, "page up", "scroll the output up", "pgup"},
		{Close, "close", "close", "esc"},
		{Cancel, "cancel", "stop the snippet, or close", "ctrl+c"},
	}),
	declare(InPrompt, GroupEdit, []row{
		{Accept, "run", "take the line", "enter"},
		{Complete, "complete", "complete the word, or edit as command", "tab"},
		{CompletePrev, "complete back", "the completion before", "shift+tab"},
		{HistoryPrev, "earlier", "the line or choice before", "up"},
		{HistoryNext, "later", "the line or choice after", "down"},
		{PageDown, "page down", "a page of choices down", "pgdown"},
		{PageUp, "page up", "a page of choices up", "pgup"},
		{Close, "close", "close without running", "esc"},
		{Cancel, "cancel", "close without running", "ctrl+c"},
	}),
	declare(InConfirm, GroupEdit, []row{
		{Yes, "yes", "do it", "y"},
		{No, "no", "do not", "n N esc"},
		{Cancel, "cancel", "do not", "ctrl+c"},
	}),
	declare(InQuit, GroupEdit, []row{
		{QuitRelease, "release and quit", "release what is paused, unchanged, and quit", "r"},
		{QuitDetach, "detach", "leave the screen, keep proxying", "d"},
		{QuitClose, "close connections", "close all connections and quit", "x"},
		{No, "stay", "do not quit", "esc"},
		{Cancel, "cancel", "do not", "ctrl+c"},
	}),
)
