# What is done at once, when the source is executed.


if __name__ == "__channelexec__":
    main(channel)
