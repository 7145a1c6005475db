package migrate

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/cmd/wasmagent/internal/config"
	"github.com/wasmagent/wasmagent/internal/lazyregexp"
	"github.com/wasmagent/wasmagent/zipmod"
)

const schedules = "/settings/scheduler/schedules"

// schedules maps the scheduled checks.
func (m *mapping) schedules() {
	preset := schedules + "/default"
	interval := m.value("interval", preset)
	for _, d := range m.definitions(schedules) {
		section := schedules + "/" + d.alias
		words, err := check.Split(d.value)
		if err != nil || len(words) == 0 || !checkName().MatchString(d.alias) {
			m.remark(d.entry, "its name or its command line cannot be read: %s", firstError(err, "a name is 1 to 128 printable characters"))
			continue
		}
		d.taken = true
		header := "schedule." + config.Key(d.alias)
		m.config.setText(header, "command", d.value)
		m.times(header, m.value("interval", section), m.value("schedule", section), m.value("randomness", section), interval)
		m.asked = append(m.asked, asked{d.entry, words})
	}
	m.take(preset, "command")
}

var checkName = lazyregexp.New(`^[!-~]([ -~]{0,126}[!-~])?$`)

// cron matches an expression that both agents read alike.
var cron = lazyregexp.New(`^[0-9*/,-]+( +[0-9*/,-]+){4}$`)

// times maps when a check runs: every five minutes, if it does not say.
func (m *mapping) times(header string, interval, schedule, randomness, preset *entry) {
	if schedule.value != "" {
		if cron().MatchString(schedule.value) {
			m.config.setText(header, "cron", schedule.value)
			return
		}
		m.remark(schedule, "this is no cron expression of five fields with numbers; set cron of [%s]", header)
	}
	every := 5 * time.Minute
	for _, e := range []*entry{preset, interval} {
		if d, ok := m.duration(e); ok {
			every = d
		}
	}
	m.config.setText(header, "interval", short(every))
	if percent, err := strconv.ParseFloat(strings.TrimSuffix(randomness.value, "%"), 64); err == nil && percent > 0 && percent <= 100 {
		m.config.setText(header, "splay", short(time.Duration(percent/100*float64(every)).Round(time.Second)))
	}
}

// short is a time as people write it: 10m and not 10m0s.
func short(d time.Duration) string {
	text := strings.TrimSuffix(d.String(), "m0s")
	if text != d.String() {
		text = strings.TrimSuffix(text+"m", "h0m")
	}
	if d >= time.Hour && d%time.Hour == 0 {
		return strconv.Itoa(int(d/time.Hour)) + "h"
	}
	return text
}

var span = lazyregexp.New(`^([0-9]{1,7}) *(s|m|h|d|w|)$`)

// duration reads a time such as 30s, 5m, 1d or 300.
func (m *mapping) duration(e *entry) (time.Duration, bool) {
	if e.value == "" {
		return 0, false
	}
	parts := span().FindStringSubmatch(strings.ToLower(e.value))
	if parts == nil {
		m.remark(e, "%q is no time such as 5m; the default holds", e.value)
		return 0, false
	}
	n, _ := strconv.Atoi(parts[1])
	unit := map[string]time.Duration{"": time.Second, "s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour}
	return time.Duration(n) * unit[parts[2]], n > 0
}

// counters samples the performance counters that are defined.
func (m *mapping) counters() {
	section := "/settings/system/windows/counters"
	for _, e := range m.in(section) {
		if e.value != "" {
			m.counter(e, e.key, e.value)
		}
	}
	for _, name := range m.below(section) {
		if e := m.take(section+"/"+name, "counter"); e != nil {
			m.counter(e, name, e.value)
		}
	}
}

// counter samples one, which is then known by its alias.
func (m *mapping) counter(e *entry, alias, counter string) {
	if zipmod.CheckCommand(alias) != nil || strings.ContainsFunc(counter, func(r rune) bool { return r < ' ' }) {
		m.remark(e, "it is no counter with a name without blanks; add it in on_start of module.json: CheckSystem.add COUNTER ALIAS")
		return
	}
	e.taken = true
	m.enable(config.CheckSystem)
	m.module.requires = []string{config.CheckSystem}
	m.module.onStart = append(m.module.onStart, check.Join([]string{"CheckSystem.add", fmt.Sprintf("counter=%s", counter), "alias=" + alias}))
}
