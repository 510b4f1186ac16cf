// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Lambdas as handlers: hello++ [port]
//
// `udata` carries the lambda, `free_udata` deletes it, and no exception leaves a callback.
#include <atomic>
#include <evl.h>
#include <iostream>
#include <memory>
#include <string>

using server_ptr = std::unique_ptr<evl_server, decltype(&evl_server_free)>;

template <class Handler>
int route(evl_server *server, const char *method, const char *pattern, Handler handler)
{
    evl_handler_fn call = [](const evl_request *request, evl_response *response, void *udata) {
        try {
            const std::string answer = (*static_cast<Handler *>(udata))(request);
            return evl_respond(response, 200, "text/plain", answer.data(), answer.size());
        } catch (...) {
            return evl_respond(response, 500, "text/plain", "the handler threw\n", 18);
        }
    };
    evl_free_fn free = [](void *udata) { delete static_cast<Handler *>(udata); };

    std::unique_ptr<Handler> owned(new Handler(handler));
    const int result = evl_server_route(server, method, pattern, call, owned.get(), free);
    if (result == 0)
        owned.release(); // from now on it is the server's
    return result;
}

static std::string text(evl_slice slice)
{
    return std::string(slice.ptr, slice.len);
}

int main(int argc, char **argv)
{
    const std::string address = std::string("127.0.0.1:") + (argc > 1 ? argv[1] : "8080");
    std::atomic<int> visits(0); // handlers run on several threads
    server_ptr server(evl_server_create(nullptr), evl_server_free);

    auto home = [&visits](const evl_request *) {
        return "Visit number " + std::to_string(++visits) + "\n";
    };
    auto greet = [](const evl_request *request) {
        return "Hello, " + text(evl_request_param(request, "name")) + "!\n";
    };
    if (!server || route(server.get(), "GET", "/", home) < 0 ||
        route(server.get(), "GET", "/hello/{name}", greet) < 0 ||
        evl_server_listen(server.get(), address.c_str()) < 0 || evl_server_run(server.get()) < 0) {
        std::cerr << "hello: " << evl_last_error() << '\n';
        return 1;
    }
}
