/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Codes, names and sentences of errors; errno stays the caller's. */
#include "check.h"
#include <limits.h>

static void every_int_can_be_told(void)
{
    int code;
    CHECK(strcmp(evl_error_name(0), "OK") == 0);
    CHECK(strcmp(evl_error_name(-ENOENT), "ENOENT") == 0);
    CHECK(strcmp(evl_strerror(-ENOENT), "No such file or directory") == 0);
    CHECK(strcmp(evl_error_name(EVL_ECONFIG), "EVL_ECONFIG") == 0);
    CHECK(strcmp(evl_error_name(INT_MIN), "UNKNOWN") == 0);
    for (code = -11000; code < 11000; code++)
        CHECK(evl_strerror(code)[0] != '\0' && evl_error_name(code)[0] != '\0');
}

static void the_last_error_is_that_of_the_last_call(void)
{
    evl_reactor *reactor = evl_create(NULL);
    REQUIRE(reactor != NULL);
    CHECK(evl_last_error_code() == 0 && evl_last_error()[0] == '\0');

    CHECK(evl_delete(reactor, 1, EVL_USER) == -ENOENT);
    CHECK(evl_last_error_code() == -ENOENT && evl_last_error()[0] != '\0');
    CHECK(evl_trigger(reactor, 1) < 0);
    CHECK(evl_last_error_code() == -ENOENT);
    CHECK(evl_wait(reactor, NULL, 0, 0) == 0);
    CHECK(evl_last_error_code() == 0 && evl_last_error()[0] == '\0');

    CHECK(evl_delete(reactor, 1, EVL_USER) == -ENOENT);
    evl_close(reactor);
    CHECK(evl_last_error_code() == -ENOENT);
}

static void errno_is_left_alone(void)
{
    evl_event event;
    evl_reactor *reactor;
    memset(&event, 0, sizeof event);
    event.ident = 999;
    event.filter = EVL_READ;

    errno = EDOM;
    reactor = evl_create(NULL);
    REQUIRE(reactor != NULL);
    CHECK(evl_add(reactor, &event) == -EBADF);
    CHECK(evl_strerror(-EBADF)[0] != '\0');
    CHECK(evl_wait(reactor, &event, 1, 1000) == 0);
    evl_close(reactor);
    CHECK(errno == EDOM);
}

int main(void)
{
    every_int_can_be_told();
    the_last_error_is_that_of_the_last_call();
    errno_is_left_alone();
    CHECK(strcmp(evl_version(), "0.1.0") == 0);
    return failures != 0;
}
