FROM python:3.13-slim
RUN useradd --create-home pinakes
WORKDIR /srv/pinakes
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY indexer indexer
COPY search search
COPY migrations migrations
RUN pip install --no-cache-dir -c constraints.txt torch==2.13.0 \
 && pip install --no-cache-dir -c constraints.txt .
USER pinakes
VOLUME /home/pinakes/data
ENV PINAKES_HOME=/home/pinakes/data
CMD ["pinakes", "serve"]
