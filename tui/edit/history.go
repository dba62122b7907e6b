package edit

// history is undo and redo by copies: states are values that share what they have in common.
type history[T any] struct {
	past, future []T
	group        string // of the newest step; steps of one group are one
}

// maxSteps is how many steps back are kept.
const maxSteps = 500

// did notes that an edit led away from was. Edits of the same group, a word being typed for example, are taken
// back together.
func (h *history[T]) did(was T, group string) {
	h.future = nil
	if group != "" && group == h.group {
		return
	}
	h.group = group
	h.past = append(h.past, was)
	if len(h.past) > maxSteps {
		h.past = h.past[len(h.past)-maxSteps:]
	}
}

// Touched reports whether anything was done that is not undone.
func (h *history[T]) Touched() bool { return len(h.past) > 0 }

// undo is the state before the newest step, given the present one; ok is false when there is none.
func (h *history[T]) undo(now T) (was T, ok bool) {
	return step(&h.past, &h.future, now, &h.group)
}

func (h *history[T]) redo(now T) (then T, ok bool) {
	return step(&h.future, &h.past, now, &h.group)
}

func step[T any](from, to *[]T, now T, group *string) (next T, ok bool) {
	*group = ""
	n := len(*from)
	if n == 0 {
		return now, false
	}
	next = (*from)[n-1]
	*from = (*from)[:n-1]
	*to = append(*to, now)
	return next, true
}
