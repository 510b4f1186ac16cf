/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A connection that failed never looks as if it had succeeded, in whichever way a program looks. */
#include "check.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/event.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct timespec soon = {5, 0};

/* A port of this host on which nobody listens, or one on which somebody does. */
static int listener(struct sockaddr_in *address, int listens)
{
    socklen_t length = sizeof *address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    memset(address, 0, sizeof *address);
    address->sin_family = AF_INET;
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(bind(fd, (struct sockaddr *)address, length) == 0);
    REQUIRE(getsockname(fd, (struct sockaddr *)address, &length) == 0);
    REQUIRE(!listens || listen(fd, 5) == 0);
    return fd;
}

static int begin_to_connect(const struct sockaddr_in *address)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    REQUIRE(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
    CHECK(connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 || errno == EINPROGRESS);
    return fd;
}

static int socket_error(int fd)
{
    int error = -1;
    socklen_t length = sizeof error;
    CHECK(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0);
    return error;
}

static struct kevent wait_for(int kq, int fd, short filter)
{
    struct kevent event;
    EV_SET(&event, fd, filter, EV_ADD, 0, 0, NULL);
    CHECK(kevent(kq, &event, 1, &event, 1, &soon) == 1);
    return event;
}

static void a_refusal_is_told_in_the_event_and_by_the_socket(int kq)
{
    static const short filters[] = {EVFILT_WRITE, EVFILT_READ};
    struct sockaddr_in address;
    int i, closed = listener(&address, 0);
    for (i = 0; i < 2; i++) {
        int fd = begin_to_connect(&address);
        struct kevent event = wait_for(kq, fd, filters[i]);
        CHECK((event.flags & EV_EOF) && event.fflags == ECONNREFUSED);
        CHECK(socket_error(fd) == ECONNREFUSED);
        close(fd);
    }
    close(closed);
}

static void a_reset_is_told_in_the_event_and_by_read(int kq)
{
    struct sockaddr_in address;
    struct linger reset = {1, 0};
    struct kevent event;
    char byte;
    int listening = listener(&address, 1), fd = begin_to_connect(&address);
    int peer = accept(listening, NULL, NULL);
    CHECK(setsockopt(peer, SOL_SOCKET, SO_LINGER, &reset, sizeof reset) == 0);
    close(peer);
    event = wait_for(kq, fd, EVFILT_READ);
    CHECK((event.flags & EV_EOF) && event.fflags == ECONNRESET);
    CHECK(read(fd, &byte, 1) == -1 && errno == ECONNRESET);
    close(fd);
    close(listening);
}

static void success_is_without_error(int kq)
{
    struct sockaddr_in address;
    struct kevent event;
    int listening = listener(&address, 1), fd = begin_to_connect(&address), peer;
    event = wait_for(kq, fd, EVFILT_WRITE);
    CHECK(!(event.flags & EV_EOF) && event.fflags == 0 && event.data > 0);
    CHECK(socket_error(fd) == 0);
    EV_SET(&event, fd, EVFILT_WRITE, EV_DELETE, 0, 0, NULL);
    CHECK(kevent(kq, &event, 1, NULL, 0, NULL) == 0);
    event = wait_for(kq, listening, EVFILT_READ);
    CHECK(event.ident == (uintptr_t)listening && event.data == 1);
    peer = accept(listening, NULL, NULL);
    shutdown(peer, SHUT_WR);
    event = wait_for(kq, fd, EVFILT_READ);
    CHECK((event.flags & EV_EOF) && event.fflags == 0 && event.data == 0);
    close(peer);
    close(fd);
    close(listening);
}

int main(void)
{
    int kq = kqueue();
    REQUIRE(kq >= 0);
    a_refusal_is_told_in_the_event_and_by_the_socket(kq);
    a_reset_is_told_in_the_event_and_by_read(kq);
    success_is_without_error(kq);
    close(kq);
    return failures != 0;
}
