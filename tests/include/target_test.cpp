// sigev::target and sigev::value: what they put into a struct sigevent.
#include <sigev/target.hpp>

#include "support/support.hpp"

namespace {

using sigev::target;

void callback(sigval) {}

} // namespace

BOOST_AUTO_TEST_SUITE(target_values)

BOOST_AUTO_TEST_CASE(each_method_fills_in_its_members)
{
    int object = 0;
    BOOST_TEST(target::none().native().sigev_notify == SIGEV_NONE);

    const auto to_process = target::signal(SIGUSR1, 42).native();
    BOOST_TEST(to_process.sigev_notify == SIGEV_SIGNAL);
    BOOST_TEST(to_process.sigev_signo == SIGUSR1);
    BOOST_TEST(to_process.sigev_value.sival_int == 42);

    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    const auto to_function = target::thread(callback, &object, &attributes).native();
    BOOST_TEST(to_function.sigev_notify == SIGEV_THREAD);
    BOOST_TEST((to_function.sigev_notify_function == callback));
    BOOST_TEST(to_function.sigev_notify_attributes == &attributes);
    BOOST_TEST(to_function.sigev_value.sival_ptr == &object);
    pthread_attr_destroy(&attributes);
    BOOST_TEST(target::thread(callback).native().sigev_notify_attributes == nullptr);

    const auto to_thread = target::thread_id(1234, SIGUSR2, &object).native();
    BOOST_TEST(to_thread.sigev_notify == SIGEV_THREAD_ID);
    BOOST_TEST(to_thread.sigev_signo == SIGUSR2);
    BOOST_TEST(to_thread.sigev_notify_thread_id == 1234);
    BOOST_TEST(to_thread.sigev_value.sival_ptr == &object);

    const auto to_queue = target::kevent(5, 7, EV_CLEAR).native();
    BOOST_TEST(to_queue.sigev_notify == SIGEV_KEVENT);
    BOOST_TEST(to_queue.sigev_notify_kqueue == 5);
    BOOST_TEST(to_queue.sigev_notify_kevent_flags == EV_CLEAR);
    BOOST_TEST(to_queue.sigev_value.sival_int == 7);

    const auto to_callback = target::callback(callback, nullptr).native();
    BOOST_TEST(to_callback.sigev_notify == SIGEV_CALLBACK);
    BOOST_TEST((to_callback.sigev_notify_function == callback));

    BOOST_TEST(target::method(SIGEV_METHOD_FIRST + 3, 9).native().sigev_notify == SIGEV_METHOD_FIRST + 3);
    const sigev::method own([](const sigev::notification&) {});
    BOOST_TEST(target::method(own).native().sigev_notify == own.number());

    const sigev::kqueue queue;
    BOOST_TEST(target::kevent(queue).native().sigev_notify_kqueue == queue.native_handle());

    BOOST_TEST(target::from(to_process).native().sigev_signo == SIGUSR1);
}

BOOST_AUTO_TEST_CASE(values_are_numbers_or_pointers)
{
    int object = 0;
    const int constant = 0;
    BOOST_TEST(sigev::value().native().sival_ptr == nullptr);
    BOOST_TEST(sigev::value(-1).native().sival_int == -1);
    BOOST_TEST(sigev::value(&object).native().sival_ptr == &object);
    BOOST_TEST(sigev::value(sigval{.sival_int = 3}).native().sival_int == 3);
    BOOST_TEST((!std::is_constructible_v<sigev::value, decltype(&constant)>)); // sival_ptr is not const
}

BOOST_AUTO_TEST_SUITE_END()
