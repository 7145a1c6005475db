package facts

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	goruntime "runtime"
	"slices"

	"github.com/shirou/gopsutil/v4/sensors"
)

// Sensors is what the machine's sensors measure.
type Sensors struct {
	// Temperatures is each thermometer, sorted by name; empty on most virtual machines.
	Temperatures []Temperature `json:"temperatures"`
}

// Temperature is one thermometer.
type Temperature struct {
	// Name is the system's name for it, such as "coretemp_core_0".
	Name string `json:"name"`
	// ValueCelsius is the temperature.
	ValueCelsius float64 `json:"value_celsius"`
	// HighCelsius is where the hardware's maker says that it is hot.
	HighCelsius *float64 `json:"high_celsius,omitempty"`
	// CriticalCelsius is where the hardware's maker says that it takes harm.
	CriticalCelsius *float64 `json:"critical_celsius,omitempty"`
}

func readSensors(ctx context.Context) (Sensors, error) {
	found, err := sensors.TemperaturesWithContext(ctx)
	if err != nil && !partial(err) && !noSensors() {
		return Sensors{}, fmt.Errorf("this machine has no thermometer that the agent may read: %w", err)
	}
	list := make([]Temperature, 0, len(found))
	for _, t := range found {
		// A Mac's controller is asked for every thermometer that any model has.
		if t.Temperature == 0 && goruntime.GOOS == "darwin" {
			continue
		}
		list = append(list, Temperature{
			Name:            t.SensorKey,
			ValueCelsius:    t.Temperature,
			HighCelsius:     given(t.High != 0, t.High),
			CriticalCelsius: given(t.Critical != 0, t.Critical),
		})
	}
	slices.SortStableFunc(list, func(a, b Temperature) int { return cmp.Compare(a.Name, b.Name) })
	return Sensors{list}, nil
}

// partial tells that only some thermometers could not be read.
func partial(err error) bool {
	var warnings *sensors.Warnings
	return errors.As(err, &warnings)
}

// noSensors tells that an error means that there is no thermometer: FreeBSD's
// are read one by one, and having none is the only error.
func noSensors() bool { return goruntime.GOOS == "freebsd" }
