// Package guest is for writing checks in Go: the command line and the answer of
// a monitoring plugin (Plugin), thresholds, the facts about the machine,
// connections, certificates, other commands and the operator's values.
//
// It is optional. A check is an ordinary program, and everything that the agent
// gives to one is a file (docs/sandbox.md); this package only spells the files'
// names, decodes what they hold and turns errors into words. It is written on
// the standard library and keeps programs small: what a check does not call is
// not linked into it.
//
//	func main() {
//		var limits guest.Thresholds
//		guest.Plugin{
//			Name:    "check_memory",
//			Version: "1.0.0",
//			About:   "compares the memory in use with thresholds",
//			Options: limits.Options("percent of memory in use"),
//			Check: func(context.Context) (check.Result, error) {
//				m, err := guest.Memory()
//				if err != nil {
//					return check.Result{}, err
//				}
//				used := 100 * m.UsedRatio
//				return check.Result{
//					State: limits.State(used),
//					Text:  fmt.Sprintf("%.0f%% in use", used),
//					Perf:  []check.Perf{limits.Perf("used", used, "%")},
//				}, nil
//			},
//		}.Main()
//	}
//
// Built for wasip1 a program is a script of the agent, and linked as a reactor one
// that the agent initialises once (package guest/reactor). Built for the machine it
// is an ordinary plugin: Dial and PeerOf then connect themselves, verified against
// the system's authorities, while what exists only inside the agent (facts,
// commands, values) is reported as not being there.
//
// Functions may be called from several goroutines. A goroutine that waits for a
// connection lets the others run; one that opens a connection, reads a fact or
// asks a command holds the program up until that is done, for a WebAssembly
// program has one thread.
package guest

import _ "github.com/wasmagent/wasmagent/guest/reactor" // exports check
