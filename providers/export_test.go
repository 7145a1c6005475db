package providers

const (
	MaxWords    = maxWords
	MaxExpanded = maxExpanded
)
