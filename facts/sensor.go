package facts

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
