// With this file go vet and the compiler take a function without a body, which
// programMain is.
