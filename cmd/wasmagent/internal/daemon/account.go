package daemon

// DefaultUser is who an agent runs as that root has started.
const DefaultUser = "wasmagent"

// root is the user who is named by who wants to remain it.
const root = "root"
