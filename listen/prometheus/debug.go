package prometheus

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

	"github.com/wasmagent/wasmagent/check"
)

// explain answers with what a probe did, for people.
func (p probe) explain(w http.ResponseWriter, r check.Result, took time.Duration, gathered prometheus.Gatherer) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	fmt.Fprintf(w, "Command:    %s\nArguments:  %s\nTime limit: %v\nTook:       %v\nState:      %s\n\nOutput:\n\n%s\n\nMetrics that would have been returned:\n\n",
		p.command, quoted(p.args), p.limit, took, r.State, check.Encode(r))
	families, err := gathered.Gather()
	if err != nil {
		fmt.Fprintf(w, "%v\n", err)
	}
	for _, family := range families {
		expfmt.MetricFamilyToText(io.Writer(w), family)
	}
}

func quoted(args []string) string {
	list := make([]string, len(args))
	for i, arg := range args {
		list[i] = fmt.Sprintf("%q", arg)
	}
	return strings.Join(list, " ")
}
