//go:build unix

package confine

// missingUser says what is not there without a user of their own.
func (c *Cage) missingUser() []string {
	switch {
	case c.user != nil:
		return nil
	case c.asRoot():
		return []string{"the user: they are root, as the agent is", "the number of processes, which is counted by user: set user in [native]"}
	}
	return []string{"the user: they are the agent's, and can read what it can", "the number of processes, which is counted by user: set user in [native]"}
}
