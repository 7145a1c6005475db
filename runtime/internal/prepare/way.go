package prepare

// A way is the costliest one from the beginning of a function, or of a loop, to the
// current instruction, without the loops within.
//
// Whoever pays for the costliest of all ways at the beginning has paid for
// whatever is executed until the end or the next beginning of the loop.
type way struct {
	cost    int64 // of the instructions on it; nowhere if none leads here
	longest int64 // the cost of the costliest one
}

// nowhere is the cost of a way that does not exist: less than any.
const nowhere = -1

// step goes on over an instruction.
func (w *way) step(price uint64) {
	if w.cost != nowhere {
		w.cost += int64(price)
		w.longest = max(w.longest, w.cost)
	}
}
