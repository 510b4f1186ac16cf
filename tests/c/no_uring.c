/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* "uring" where the kernel refuses it, as many containers have it: the server serves all the same. */
#include "check.h"
#include <arpa/inet.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

#ifdef __linux__
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

/* From here on io_uring_setup(2) is EPERM. */
static void refuse_io_uring(void)
{
    struct sock_filter steps[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program;

    program.len = sizeof steps / sizeof *steps;
    program.filter = steps;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        puts("skipped: no filter can be set");
}
#else
static void refuse_io_uring(void)
{
}
#endif

static int hello(const evl_request *request, evl_response *response, void *udata)
{
    (void)request, (void)udata;
    return evl_respond(response, 200, "text/plain", "hello", 5);
}

static void ask(evl_server *server)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    char address[64], answer[1024];
    struct sockaddr_in peer;
    size_t length = 0;
    ssize_t n;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    REQUIRE(evl_server_address(server, 0, address, sizeof address) > 0);
    memset(&peer, 0, sizeof peer);
    peer.sin_family = AF_INET;
    peer.sin_port = htons((uint16_t)atoi(strrchr(address, ':') + 1));
    peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(connect(fd, (struct sockaddr *)&peer, sizeof peer) == 0);
    REQUIRE(write(fd, request, sizeof request - 1) == (ssize_t)sizeof request - 1);
    while (length < sizeof answer && (n = read(fd, answer + length, sizeof answer - length)) > 0)
        length += (size_t)n;
    CHECK(length > 5 && memcmp(answer + length - 5, "hello", 5) == 0);
    close(fd);
}

static evl_server *make(const char *io)
{
    evl_server_options options;

    memset(&options, 0, sizeof options);
    options.size = sizeof options;
    options.workers = 1;
    options.io = io;
    return evl_server_create(&options);
}

int main(void)
{
    evl_server *server = make("uring");

    CHECK(make("aio") == NULL);
    CHECK(strstr(evl_last_error(), "aio") != NULL);
    refuse_io_uring();
    REQUIRE(evl_server_listen(server, "127.0.0.1:0") == 0);
    REQUIRE(evl_server_route(server, "GET", "/", hello, NULL, NULL) == 0);
    REQUIRE(evl_server_start(server) == 0);
    ask(server);
    CHECK(evl_server_stop(server, 1000) == 0);
    evl_server_free(server);
    return failures != 0;
}
