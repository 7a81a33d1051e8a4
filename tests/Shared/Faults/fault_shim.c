// SPDX-License-Identifier: Apache-2.0
//
// Preloaded into a role (LD_PRELOAD): makes calls of the C library fail, wait, or lie, as a page says that the test has
// mapped too. .NET looks libc's functions up by dlsym on libc itself, past what is preloaded, so dlsym is replaced too.
// Owner of the page: the test; this side only counts.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

// The offsets stand in FaultShim.cs too.
struct page {
  _Atomic int64_t clock_offset_us;   // 0: added to CLOCK_REALTIME
  _Atomic int64_t sync_delay_us;     // 8: before each flush of a file below the folder
  _Atomic int64_t sync_fail_from;    // 16: the number of the flush from which on all fail; 0: none
  _Atomic int64_t sync_errno;        // 24: what they fail with
  _Atomic int64_t syncs;             // 32: flushes so far
  _Atomic int64_t write_bytes_max;   // 40: writes to such files are cut to this; 0: not
  _Atomic int64_t write_eintr_every; // 48: every n-th write is interrupted instead; 0: none
  _Atomic int64_t writes;            // 56: writes so far
  _Atomic int64_t write_fail_from;   // 64: the number of the write from which on all fail; 0: none
  _Atomic int64_t write_errno;       // 72: what they fail with
  _Atomic int64_t syncs_failed;      // 80: flushes that failed
  _Atomic int64_t sync_longest_us;   // 88: the longest flush that succeeded
  char folder[256];                  // 96: files below it are meant
};

static struct page *page;
static void *(*real_dlsym)(void *, const char *);

static void *real(const char *name) {
  if (!real_dlsym) {
    real_dlsym = dlvsym(RTLD_NEXT, "dlsym", "GLIBC_2.34");
    if (!real_dlsym) real_dlsym = dlvsym(RTLD_NEXT, "dlsym", "GLIBC_2.2.5");
    if (!real_dlsym) real_dlsym = dlvsym(RTLD_NEXT, "dlsym", "GLIBC_2.17");
  }
  return real_dlsym(RTLD_NEXT, name);
}

__attribute__((constructor)) static void start(void) {
  const char *path = getenv("MUSTER_FAULT_PAGE");
  if (!path) return;
  int fd = open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (p != MAP_FAILED) page = p;
}

static int is_meant(int fd) {
  char link[64], path[PATH_MAX];
  if (!page || !page->folder[0]) return 0;
  strcpy(link, "/proc/self/fd/");
  char digits[12];
  int n = 0;
  for (unsigned v = (unsigned)fd; n == 0 || v; v /= 10) digits[n++] = (char)('0' + v % 10);
  size_t at = strlen(link);
  while (n) link[at++] = digits[--n];
  link[at] = 0;
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return strncmp(path, page->folder, strlen(page->folder)) == 0;
}

static int sync_fault(int fd) {
  if (!is_meant(fd)) return 0;
  int64_t number = atomic_fetch_add(&page->syncs, 1) + 1;
  // In slices, so that a wait can be called off.
  for (int64_t waited = 0; waited < page->sync_delay_us; waited += 1000) {
    struct timespec slice = {0, 1000000};
    nanosleep(&slice, NULL);
  }
  if (page->sync_fail_from && number >= page->sync_fail_from) {
    atomic_fetch_add(&page->syncs_failed, 1);
    errno = (int)page->sync_errno;
    return -1;
  }
  return 0;
}

static int64_t now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int sync_file(int fd, int (*next)(int)) {
  if (!page) return next(fd);
  int64_t start = now_us();
  if (sync_fault(fd)) return -1;
  int result = next(fd);
  int64_t took = now_us() - start;
  if (result == 0 && is_meant(fd) && took > page->sync_longest_us) page->sync_longest_us = took;
  return result;
}

int fsync(int fd) {
  static int (*next)(int);
  if (!next) next = real("fsync");
  return sync_file(fd, next);
}

int fdatasync(int fd) {
  static int (*next)(int);
  if (!next) next = real("fdatasync");
  return sync_file(fd, next);
}

// The bytes to write, or -1 with errno.
static ssize_t write_fault(int fd, size_t bytes) {
  if (!is_meant(fd)) return (ssize_t)bytes;
  int64_t number = atomic_fetch_add(&page->writes, 1) + 1;
  if (page->write_fail_from && number >= page->write_fail_from) {
    errno = (int)page->write_errno;
    return -1;
  }
  if (page->write_eintr_every && number % page->write_eintr_every == 0) {
    errno = EINTR;
    return -1;
  }
  if (page->write_bytes_max && bytes > (size_t)page->write_bytes_max) return page->write_bytes_max;
  return (ssize_t)bytes;
}

ssize_t write(int fd, const void *from, size_t bytes) {
  static ssize_t (*next)(int, const void *, size_t);
  if (!next) next = real("write");
  ssize_t allowed = write_fault(fd, bytes);
  return allowed < 0 ? -1 : next(fd, from, (size_t)allowed);
}

ssize_t pwrite(int fd, const void *from, size_t bytes, off_t offset) {
  static ssize_t (*next)(int, const void *, size_t, off_t);
  if (!next) next = real("pwrite");
  ssize_t allowed = write_fault(fd, bytes);
  return allowed < 0 ? -1 : next(fd, from, (size_t)allowed, offset);
}

ssize_t pwrite64(int fd, const void *from, size_t bytes, off_t offset) { return pwrite(fd, from, bytes, offset); }

// A vector is cut to its first part, which is a short write as well.
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) {
  static ssize_t (*next)(int, const struct iovec *, int, off_t);
  if (!next) next = real("pwritev");
  if (!is_meant(fd) || count == 0) return next(fd, parts, count, offset);
  return pwrite(fd, parts[0].iov_base, parts[0].iov_len, offset);
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off_t offset) {
  return pwritev(fd, parts, count, offset);
}

int clock_gettime(clockid_t clock, struct timespec *time) {
  static int (*next)(clockid_t, struct timespec *);
  if (!next) next = real("clock_gettime");
  int result = next(clock, time);
  if (result == 0 && page && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
    int64_t offset = page->clock_offset_us;
    int64_t nanos = time->tv_nsec + (offset % 1000000) * 1000;
    time->tv_sec += offset / 1000000 + (nanos < 0 ? -1 : nanos / 1000000000);
    time->tv_nsec = nanos < 0 ? nanos + 1000000000 : nanos % 1000000000;
  }
  return result;
}

void *dlsym(void *library, const char *name) {
  if (!real_dlsym) real("dlsym");
  if (strcmp(name, "fsync") == 0) return (void *)fsync;
  if (strcmp(name, "fdatasync") == 0) return (void *)fdatasync;
  if (strcmp(name, "write") == 0) return (void *)write;
  if (strcmp(name, "pwrite") == 0 || strcmp(name, "pwrite64") == 0) return (void *)pwrite;
  if (strcmp(name, "pwritev") == 0 || strcmp(name, "pwritev64") == 0) return (void *)pwritev;
  if (strcmp(name, "clock_gettime") == 0) return (void *)clock_gettime;
  return real_dlsym(library, name);
}
