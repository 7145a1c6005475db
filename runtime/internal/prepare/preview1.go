package prepare

import "strings"

// preview1 is the import module of WASI preview 1.
const preview1 = "wasi_snapshot_preview1"

// preview1Functions are the functions of WASI preview 1 and their parameters, "i"
// an i32 and "I" an i64. All return an i32, but for proc_exit, which returns
// nothing. Their source is
// https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md.
var preview1Functions = map[string]string{
	"args_get":                "ii",
	"args_sizes_get":          "ii",
	"clock_res_get":           "ii",
	"clock_time_get":          "iIi",
	"environ_get":             "ii",
	"environ_sizes_get":       "ii",
	"fd_advise":               "iIIi",
	"fd_allocate":             "iII",
	"fd_close":                "i",
	"fd_datasync":             "i",
	"fd_fdstat_get":           "ii",
	"fd_fdstat_set_flags":     "ii",
	"fd_fdstat_set_rights":    "iII",
	"fd_filestat_get":         "ii",
	"fd_filestat_set_size":    "iI",
	"fd_filestat_set_times":   "iIIi",
	"fd_pread":                "iiiIi",
	"fd_prestat_dir_name":     "iii",
	"fd_prestat_get":          "ii",
	"fd_pwrite":               "iiiIi",
	"fd_read":                 "iiii",
	"fd_readdir":              "iiiIi",
	"fd_renumber":             "ii",
	"fd_seek":                 "iIii",
	"fd_sync":                 "i",
	"fd_tell":                 "ii",
	"fd_write":                "iiii",
	"path_create_directory":   "iii",
	"path_filestat_get":       "iiiii",
	"path_filestat_set_times": "iiiiIIi",
	"path_link":               "iiiiiii",
	"path_open":               "iiiiiIIii",
	"path_readlink":           "iiiiii",
	"path_remove_directory":   "iii",
	"path_rename":             "iiiiii",
	"path_symlink":            "iiiii",
	"path_unlink_file":        "iii",
	"poll_oneoff":             "iiii",
	"proc_exit":               "i",
	"proc_raise":              "i",
	"random_get":              "ii",
	"sched_yield":             "",
	"sock_accept":             "iii",
	"sock_recv":               "iiiiii",
	"sock_send":               "iiiii",
	"sock_shutdown":           "ii",
}

// preview1Signature is the type of a function of WASI preview 1, if there is one
// of that name.
func preview1Signature(name string) (signature, bool) {
	params, known := preview1Functions[name]
	types := []byte(strings.NewReplacer("i", "\x7f", "I", "\x7e").Replace(params))
	if name == "proc_exit" {
		return signature{params: types}, known
	}
	return signature{params: types, results: []byte{typeI32}}, known
}
