/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Sockets from C: a connection on each kind of address, options, and what is refused in words. */
#include "check.h"
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *volatile no_text;
static evl_socket_options *volatile no_options;

static evl_socket_options defaults(void)
{
    evl_socket_options options;
    memset(&options, 0, sizeof options);
    options.size = sizeof options;
    return options;
}

static int option(int socket, int level, int name)
{
    int value = -1;
    socklen_t length = sizeof value;
    CHECK(getsockopt(socket, level, name, &value, &length) == 0);
    return value;
}

static void wait_for(int descriptor, int filter)
{
    evl_reactor *reactor = evl_create(NULL);
    evl_event event;
    memset(&event, 0, sizeof event);
    event.ident = (uintptr_t)descriptor;
    event.filter = (int16_t)filter;
    REQUIRE(reactor != NULL && evl_add(reactor, &event) == 0);
    CHECK(evl_wait(reactor, &event, 1, -1) == 1);
    evl_close(reactor);
}

/* A connection from end to end, and two sockets that are as they should be from birth. */
static void it_carries_bytes(const char *address, const evl_socket_options *options)
{
    char where[200], byte = 0;
    int listener = evl_listen(address, options), client, peer;
    REQUIRE(listener >= 0);
    CHECK(evl_accept(listener) == -EAGAIN);
    CHECK(evl_socket_address(listener, where, 5) == -ERANGE);
    REQUIRE(evl_socket_address(listener, where, sizeof where) == (int)strlen(where));
    CHECK(evl_listen(where, options) == -EADDRINUSE);
    CHECK(strstr(evl_last_error(), where) != NULL);
    client = evl_connect(where, options);
    REQUIRE(client >= 0);
    wait_for(listener, EVL_READ);
    peer = evl_accept(listener);
    REQUIRE(peer >= 0);
    CHECK(evl_accept(listener) == -EAGAIN);
    wait_for(client, EVL_WRITE);
    CHECK(option(client, SOL_SOCKET, SO_ERROR) == 0);
    CHECK(write(client, "x", 1) == 1);
    wait_for(peer, EVL_READ);
    CHECK(read(peer, &byte, 1) == 1 && byte == 'x');
    CHECK(read(peer, &byte, 1) == -1 && errno == EAGAIN);
    CHECK((fcntl(peer, F_GETFD) & FD_CLOEXEC) && (fcntl(client, F_GETFD) & FD_CLOEXEC));
    close(peer), close(client), close(listener);
}

static void on_each_kind_of_address(void)
{
    char folder[] = "/tmp/evl-socket-XXXXXX", address[64];
    struct stat status;
    evl_socket_options options = defaults();
    REQUIRE(mkdtemp(folder) != NULL);
    snprintf(address, sizeof address, "unix:%s/socket", folder);
    options.mode = 0600;
    it_carries_bytes("127.0.0.1:0", NULL);
    it_carries_bytes("[::1]:0", NULL);
    it_carries_bytes(address, &options);
    CHECK(stat(address + 5, &status) == 0 && (status.st_mode & 0777) == 0600);
    it_carries_bytes(address, NULL); /* What the last one left behind is replaced. */
    CHECK(unlink(address + 5) == 0 && rmdir(folder) == 0);
}

static void options_are_taken(void)
{
    evl_socket_options options = defaults();
    int listener, other;
    char where[64];
    options.reuse_port = 1;
    options.nodelay = 1;
    options.keepalive_idle_s = 9;
    options.backlog = 3;
    listener = evl_listen("127.0.0.1:0", &options);
    REQUIRE(listener >= 0);
    CHECK(option(listener, IPPROTO_TCP, TCP_NODELAY) != 0);
    CHECK(option(listener, SOL_SOCKET, SO_KEEPALIVE) != 0);
    CHECK(evl_socket_address(listener, where, sizeof where) > 0);
    other = evl_listen(where, &options);
    CHECK(other >= 0);
    close(other);
    options = defaults();
    options.linger = 1;
    options.send_buffer = 50000;
    CHECK(evl_socket_set(listener, &options) == 0);
    CHECK(option(listener, SOL_SOCKET, SO_SNDBUF) >= 50000);
    CHECK(option(listener, IPPROTO_TCP, TCP_NODELAY) != 0);
    close(listener);
}

static void what_is_wrong_is_refused(void)
{
    evl_socket_options options = defaults();
    char text[300];
    CHECK(evl_listen(no_text, NULL) == -EFAULT);
    CHECK(evl_connect(no_text, NULL) == -EFAULT);
    CHECK(evl_listen("nowhere:80", NULL) == -EINVAL);
    CHECK(strstr(evl_last_error(), "unix:path") != NULL);
    snprintf(text, sizeof text, "unix:%0200d", 0);
    CHECK(evl_listen(text, NULL) == -ENAMETOOLONG);
    CHECK(evl_connect("unix:/nonexistent/socket", NULL) == -ENOENT);
    options.size = 3;
    CHECK(evl_listen("127.0.0.1:0", &options) == -EINVAL);
    options = defaults();
    options.receive_buffer = 0xffffffff;
    CHECK(evl_listen("127.0.0.1:0", &options) == -EINVAL);
    CHECK(strstr(evl_last_error(), "receive_buffer") != NULL);
    CHECK(evl_accept(-1) == -EBADF && evl_accept(9999) == -EBADF);
    CHECK(evl_socket_set(-1, &options) == -EBADF);
    CHECK(evl_socket_set(0, no_options) <= 0);
    CHECK(evl_socket_address(-5, text, sizeof text) == -EBADF);
}

int main(void)
{
    on_each_kind_of_address();
    options_are_taken();
    what_is_wrong_is_refused();
    return failures > 0;
}
