/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Clients that vanish in the middle of a large file cost the server nothing: the program, which does
 * with SIGPIPE what C does by default, lives on. */
#include "check.h"
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENTS 30
#define SIZE (8L * 1024 * 1024)

static int client(evl_server *server)
{
    static const char request[] = "GET /large HTTP/1.1\r\nHost: h\r\n\r\n";
    struct linger reset = {1, 0};
    struct sockaddr_in peer;
    char address[64];
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    REQUIRE(evl_server_address(server, 0, address, sizeof address) > 0);
    memset(&peer, 0, sizeof peer);
    peer.sin_family = AF_INET;
    peer.sin_port = htons((uint16_t)atoi(strrchr(address, ':') + 1));
    peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(connect(fd, (struct sockaddr *)&peer, sizeof peer) == 0);
    REQUIRE(setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset) == 0);
    REQUIRE(write(fd, request, sizeof request - 1) == (ssize_t)sizeof request - 1);
    return fd;
}

/* The whole answer still comes to one who stays. */
static void read_all(evl_server *server)
{
    static char buffer[65536];
    int fd = client(server);
    long total = 0;

    while (total < SIZE) {
        ssize_t n = read(fd, buffer, sizeof buffer);
        REQUIRE(n > 0);
        total += n;
    }
    close(fd);
}

int main(void)
{
    char folder[] = "/tmp/evl-vanish-XXXXXX", file[64], byte;
    evl_server *server = evl_server_create(NULL);
    FILE *large;
    int i;

    REQUIRE(mkdtemp(folder) != NULL);
    snprintf(file, sizeof file, "%s/large", folder);
    large = fopen(file, "w");
    REQUIRE(large != NULL && ftruncate(fileno(large), SIZE) == 0 && fclose(large) == 0);
    REQUIRE(evl_server_listen(server, "127.0.0.1:0") == 0);
    REQUIRE(evl_server_static(server, "/", folder) == 0);
    REQUIRE(evl_server_start(server) == 0);

    for (i = 0; i < CLIENTS; i++) {
        int fd = client(server);
        CHECK(read(fd, &byte, 1) == 1);
        close(fd);
    }
    read_all(server);

    CHECK(evl_server_stop(server, 1000) == 0);
    evl_server_free(server);
    unlink(file);
    rmdir(folder);
    return failures != 0;
}
