package facts

// Users is who is logged in.
type Users struct {
	// Users is each login, sorted by name, terminal and time.
	Users []User `json:"users"`
}

// User is one login; a user may have several.
type User struct {
	// Name is the user's login name.
	Name string `json:"name"`
	// Terminal is where they are logged in, such as "tty1", "pts/0" or "console".
	Terminal string `json:"terminal,omitempty"`
	// Host is where they come from, if from elsewhere.
	Host string `json:"host,omitempty"`
	// LoginTimeSeconds is when they logged in.
	LoginTimeSeconds *float64 `json:"login_time_seconds,omitempty"`
}
