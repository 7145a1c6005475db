package guest

// Env reads /env/NAME: a value, perhaps a secret, that the operator set for this
// module. It needs the permission. Put no secret into an answer.
func Env(name string) (string, error) {
	value, err := read("/env/" + name)
	return string(value), err
}
