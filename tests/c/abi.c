/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Layouts that compiled programs rely on: they never change, options only grow at the end. */
#include "check.h"

typedef struct {
    char c;
    int64_t value;
} aligned_int64;

int main(void)
{
    size_t word = sizeof(void *);
    size_t align = offsetof(aligned_int64, value);

    CHECK(offsetof(evl_event, ident) == 0);
    CHECK(offsetof(evl_event, filter) == word);
    CHECK(offsetof(evl_event, flags) == word + 2);
    CHECK(offsetof(evl_event, fflags) == word + 4);
    CHECK(offsetof(evl_event, data) == (word + 8 + align - 1) / align * align);
    CHECK(offsetof(evl_event, udata) == offsetof(evl_event, data) + 8);
    if (word == 8)
        CHECK(sizeof(evl_event) == 32);

    CHECK(sizeof(evl_slice) == 2 * word);
    CHECK(offsetof(evl_slice, len) == word);
    CHECK(sizeof(evl_header) == 4 * word);

    CHECK(offsetof(evl_options, size) == 0);
    CHECK(offsetof(evl_options, backend) == word);
    CHECK(offsetof(evl_server_options, size) == 0);
    CHECK(offsetof(evl_server_options, backend) == word);
    CHECK(offsetof(evl_server_options, workers) == 2 * word);
    if (word == 8) {
        CHECK(sizeof(evl_options) == 16);
        CHECK(offsetof(evl_server_options, max_body_bytes) == 24);
        CHECK(offsetof(evl_server_options, header_timeout_ms) == 32);
        CHECK(offsetof(evl_server_options, keepalive_requests) == 48);
        CHECK(offsetof(evl_server_options, worker_connections) == 56);
        CHECK(offsetof(evl_server_options, accept_policy) == 60);
        CHECK(sizeof(evl_counters) == 48);
        CHECK(offsetof(evl_counters, turns) == 40);
    }

    CHECK(EVL_READ == 1 && EVL_USER == 8);
    CHECK(EVL_ADD == 1 && EVL_ERROR == 0x2000);
    CHECK(EVL_ECONFIG == -10001 && EVL_EPANIC == -10004);
    CHECK(EVL_ACCEPT_REUSEPORT == 0 && EVL_ACCEPT_SHARED == 1 && EVL_ACCEPT_ROUND_ROBIN == 2);
    CHECK(EVL_ANSWERED == 0 && EVL_DECLINED == 1);
    return failures != 0;
}
