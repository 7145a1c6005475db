package confine

// As makes processes run as a user that need not exist.
func (c *Cage) As(uid, gid int) { c.user = &user{uid, gid} }

// Missing says what a version of Landlock lacks.
var Missing = missing
