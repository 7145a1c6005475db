package providers

// Expand fills arguments into a command line, of at most so many words and
// bytes.
var Expand = expand

const (
	MaxWords    = maxWords
	MaxExpanded = maxExpanded
)
