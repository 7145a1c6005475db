package daemon

// For tests.
var (
	Unit   = unit
	OpenRC = openrc
)

// Adapted is a text for another program.
func Adapted(text, program string, args ...string) string { return adapted(text, program, args) }
