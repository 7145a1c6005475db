//go:build !unix

package private

import "io/fs"

func writable(fs.FileInfo) bool { return false }

func open(fs.FileInfo) bool { return false }

func foreign(fs.FileInfo) bool { return false }
