/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* An echo server: `kqueue-echo PORT`, until SIGINT or SIGTERM. A connection that does not read what it
 * is sent is not read from either, and EVFILT_WRITE is watched only while something is left to write. */
#include <sys/types.h>
#include <sys/event.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <netinet/in.h>
#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct session {
    int fd;
    size_t begin, end; /* what is left to write of the bytes */
    char bytes[16384];
};

static int kq;

static void change(uintptr_t ident, short filter, unsigned short flags, void *udata)
{
    struct kevent event;
    EV_SET(&event, ident, filter, flags, 0, 0, udata);
    if (kevent(kq, &event, 1, NULL, 0, NULL) == -1)
        err(1, "kevent");
}

static int listen_on(unsigned short port)
{
    struct sockaddr_in address;
    int fd = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) == -1 || listen(fd, 128) == -1)
        err(1, "port %d", port);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static void welcome(int listener)
{
    int fd = accept(listener, NULL, NULL);
    struct session *session = fd == -1 ? NULL : calloc(1, sizeof *session);
    if (session == NULL)
        return;
    fcntl(fd, F_SETFL, O_NONBLOCK);
    session->fd = fd;
    change((uintptr_t)fd, EVFILT_READ, EV_ADD, session);
    change((uintptr_t)fd, EVFILT_WRITE, EV_ADD | EV_DISABLE, session);
}

/* Closing removes the descriptor's knotes; of a session at most one is enabled at a time. */
static void part(struct session *session)
{
    close(session->fd);
    free(session);
}

static void echo(struct session *session, short filter)
{
    ssize_t n;
    if (filter == EVFILT_READ) {
        n = read(session->fd, session->bytes, sizeof session->bytes);
        if (n <= 0) {
            part(session);
            return;
        }
        session->begin = 0;
        session->end = (size_t)n;
    }
    n = write(session->fd, session->bytes + session->begin, session->end - session->begin);
    if (n > 0)
        session->begin += (size_t)n;
    if (session->begin < session->end && filter == EVFILT_READ) {
        change((uintptr_t)session->fd, EVFILT_READ, EV_DISABLE, session);
        change((uintptr_t)session->fd, EVFILT_WRITE, EV_ENABLE, session);
    } else if (session->begin == session->end && filter == EVFILT_WRITE) {
        change((uintptr_t)session->fd, EVFILT_WRITE, EV_DISABLE, session);
        change((uintptr_t)session->fd, EVFILT_READ, EV_ENABLE, session);
    } else if (n == -1) {
        part(session);
    }
}

int main(int argc, char **argv)
{
    struct kevent event;
    int listener;

    if (argc != 2)
        errx(2, "usage: %s PORT", argv[0]);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGINT, SIG_IGN); /* told as an event all the same */
    signal(SIGTERM, SIG_IGN);
    if ((kq = kqueue()) == -1)
        err(1, "kqueue");
    listener = listen_on((unsigned short)atoi(argv[1]));
    change((uintptr_t)listener, EVFILT_READ, EV_ADD, NULL);
    change(SIGINT, EVFILT_SIGNAL, EV_ADD, NULL);
    change(SIGTERM, EVFILT_SIGNAL, EV_ADD, NULL);
    while (kevent(kq, NULL, 0, &event, 1, NULL) == 1) {
        if (event.filter == EVFILT_SIGNAL)
            return 0;
        if (event.udata == NULL)
            welcome(listener);
        else
            echo(event.udata, event.filter);
    }
    err(1, "kevent");
}
