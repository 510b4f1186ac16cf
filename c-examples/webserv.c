/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The web server as a program: webserv [-t] configuration-file
 *
 * Serves what the file says until SIGINT or SIGTERM; -t only tests the file.
 */
#include <evl.h>
#include <stdio.h>
#include <string.h>

static int fail(void)
{
    fprintf(stderr, "webserv: %s\n", evl_last_error());
    return 1;
}

/* One line with the URL of each address. "Any address" is reached as localhost from here. */
static void announce(const evl_server *server)
{
    static const char any4[] = "0.0.0.0:", any6[] = "[::]:";
    char address[256];
    size_t i;

    printf("Serving");
    for (i = 0; evl_server_address(server, i, address, sizeof address) >= 0; i++) {
        if (strncmp(address, "unix:", 5) == 0)
            printf(" %s", address);
        else if (strncmp(address, any4, strlen(any4)) == 0)
            printf(" http://localhost:%s/", address + strlen(any4));
        else if (strncmp(address, any6, strlen(any6)) == 0)
            printf(" http://localhost:%s/", address + strlen(any6));
        else
            printf(" http://%s/", address);
    }
    printf("\n");
    fflush(stdout);
}

int main(int argc, char **argv)
{
    int test = argc > 1 && strcmp(argv[1], "-t") == 0, result = 0;
    const char *file = argv[argc - 1];
    evl_server *server;

    if (argc != 2 + test || (!test && file[0] == '-')) {
        fprintf(stderr, "usage: webserv [-t] configuration-file\n");
        return 2;
    }
    server = evl_server_create(NULL);
    if (server == NULL)
        return fail();
    if (evl_server_load(server, file) < 0) {
        result = fail();
    } else if (test) {
        printf("%s: the configuration is right\n", file);
    } else if (evl_server_start(server) < 0) {
        result = fail();
    } else {
        announce(server);
        if (evl_server_run(server) < 0)
            result = fail();
    }
    evl_server_free(server);
    return result;
}
