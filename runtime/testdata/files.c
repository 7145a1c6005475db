// A guest that uses its file system through the C library, as a check would, and
// prints what it finds.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char *name(int error) {
    switch (error) {
    case 0: return "ok";
    case EBADF: return "EBADF";
    case EEXIST: return "EEXIST";
    case EINVAL: return "EINVAL";
    case EIO: return "EIO";
    case EISDIR: return "EISDIR";
    case EMFILE: return "EMFILE";
    case ENOENT: return "ENOENT";
    case ENOTDIR: return "ENOTDIR";
    case ENOTCAPABLE: return "ENOTCAPABLE";
    case EPERM: return "EPERM";
    case EROFS: return "EROFS";
    }
    return "another error";
}

static void tried(const char *what, int result) {
    printf("%s: %s\n", what, name(result < 0 ? errno : 0));
}

static int by_name(const struct dirent **a, const struct dirent **b) { return strcmp((*a)->d_name, (*b)->d_name); }

static void list(const char *path) {
    struct dirent **entries;
    int n = scandir(path, &entries, NULL, by_name);
    printf("%s:", path);
    for (int i = 0; i < n; i++)
        printf(" %s%s", entries[i]->d_name, entries[i]->d_type == DT_DIR ? "/" : "");
    printf("\n");
}

static void show(const char *path) {
    struct stat st;
    int fd = open(path, O_RDONLY);
    char text[100];
    ssize_t n = read(fd, text, sizeof text - 1);
    fstat(fd, &st);
    close(fd);
    text[n < 0 ? 0 : n] = 0;
    printf("%s: %lld bytes, %s, links %d: %s\n", path, (long long)st.st_size, S_ISREG(st.st_mode) ? "a file" : "no file", (int)st.st_nlink, text);
}

static void seek(void) {
    char text[8] = {0};
    FILE *f = fopen("/data/one.txt", "r");
    fseek(f, -4, SEEK_END);
    long at = ftell(f);
    size_t n = fread(text, 1, sizeof text - 1, f);
    printf("the last bytes from %ld: %zu, %s, end %d\n", at, n, text, feof(f) != 0);
    rewind(f);
    fgets(text, 4, f);
    printf("the first: %s\n", text);
    memset(text, 0, sizeof text);
    printf("in between: %zd, %s\n", pread(fileno(f), text, 5, 4), text);
    fclose(f);
}

int main(int argc, char **argv) {
    struct stat file, directory, link;
    list("/");
    list("/data");
    list("/host");
    list("data/deep/");
    show("/data/two.txt");
    show("host/memory");
    seek();

    stat("/data/one.txt", &file);
    stat("/data", &directory);
    lstat("/data/deep/../one.txt", &link);
    printf("inodes: %d %d\n", file.st_ino == link.st_ino, file.st_ino == directory.st_ino);
    printf("modified: %lld\n", (long long)file.st_mtim.tv_sec);

    tried("open absent", open("/absent", O_RDONLY));
    tried("open below a file", open("/data/one.txt/x", O_RDONLY));
    tried("open a file as a directory", open("/data/one.txt", O_RDONLY | O_DIRECTORY));
    tried("open /etc/passwd", open("/etc/passwd", O_RDONLY));
    tried("open /proc/self/environ", open("/proc/self/environ", O_RDONLY));
    tried("open a fact that was not granted", open("/host/cpu", O_RDONLY));
    tried("open for writing", open("/data/one.txt", O_WRONLY));
    tried("open for both", open("/data/one.txt", O_RDWR));
    tried("open for appending", open("/data/one.txt", O_WRONLY | O_APPEND));
    tried("truncate at open", open("/data/one.txt", O_RDONLY | O_TRUNC));
    tried("create", open("/new", O_WRONLY | O_CREAT, 0600));
    tried("create what is there", open("/data/one.txt", O_RDONLY | O_CREAT | O_EXCL, 0600));
    tried("truncate", truncate("/data/one.txt", 0));
    tried("mkdir", mkdir("/new", 0700));
    tried("rmdir", rmdir("/data"));
    tried("unlink", unlink("/data/one.txt"));
    tried("rename", rename("/data/one.txt", "/data/x.txt"));
    tried("link", linkat(3, "data/one.txt", 3, "x.txt", 0));
    tried("symlink", symlink("/etc/passwd", "/x"));
    tried("utimens", utimensat(3, "data/one.txt", NULL, 0));
    int fd = open("/data/one.txt", O_RDONLY);
    tried("write", write(fd, "x", 1));
    tried("ftruncate", ftruncate(fd, 0));
    tried("isatty", isatty(1) ? 0 : -1);
    close(fd);

    int open_files = 0;
    while (open("/data/one.txt", O_RDONLY) >= 0)
        open_files++;
    printf("open files: %d, then %s\n", open_files, name(errno));
    printf("input: %d\n", getchar());
    printf("environment: %s\n", getenv("PATH") ? "there" : "none");
    printf("arguments: %d, %s\n", argc, argv[argc - 1]);
    printf("clock: %s\n", time(NULL) > 1700000000 ? "right" : "wrong");
    fprintf(stderr, "done\n");
    return 2;
}
