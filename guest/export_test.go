package guest

func Document[T any](path string) (T, error) { return document[T](path) }

var Ask = ask
var Canonical = canonical
