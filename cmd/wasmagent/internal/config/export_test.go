package config

// Swap is swap, for what happens between reading a file and replacing it.
var Swap = swap
