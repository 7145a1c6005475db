//go:build !unix

package config

import "io/fs"

// Access lists are the installer's to set.

func writable(fs.FileInfo) bool { return false }

func foreign(fs.FileInfo) bool { return false }
