package facts

// A Source reads the facts. Make one with New and keep it: shares of processor
// time are averages since its earlier readings. It is safe for concurrent use.
type Source struct{}

// New returns a Source and takes its first processor sample.
func New() *Source { return &Source{} }
